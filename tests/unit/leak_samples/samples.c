/* Samples: what is a secret, and what only looks like one. */
#include "samples.h"

#include <ctype.h>
#include <string.h>

#include "store/base/mem.h"

static uint64_t state;

static unsigned pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 20) % n);
}

static void seed_with(size_t i, unsigned seed)
{
	state = (uint64_t)seed * 0x9e3779b97f4a7c15u + i * 0xbf58476d1ce4e5b9u + 1;
	for (int k = 0; k < 10; k++)
		pick(2);
}

static void add_from(struct str *out, const char *set, size_t n)
{
	while (n--)
		str_addc(out, set[pick((unsigned)strlen(set))]);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *const nouns[] = {"Falcon", "Winter", "Berlin", "Granite", "Tiger", "Orchid", "Saturn", "Maple", "Harbor", "Velvet",
                                    "Copper", "Meadow", "Raven", "Summit", "Walnut", "Ember"};

/* What people choose: a word, a number and a sign; or letters for others; or all at random. */
static void add_password(struct str *out)
{
	const char *noun = nouns[pick(MEM_COUNT(nouns))];

	switch (pick(4)) {
	case 0:
		str_addf(out, "%s%u%c", noun, 10 + pick(9000), "!#*?+="[pick(6)]);
		return;
	case 1:
		for (const char *p = noun; *p; p++)
			str_addc(out, *p == 'a' ? '4' : *p == 'e' ? '3' : *p == 'i' ? '1' : *p == 'o' ? '0' : (char)tolower(*p));
		str_addf(out, "%u", 10 + pick(90));
		return;
	case 2:
		add_from(out, LOWER, 5);
		add_from(out, DIGITS, 3);
		return;
	default:
		add_from(out, UPPER LOWER DIGITS "!#%*+=?.", 14);
		str_addc(out, DIGITS[pick(10)]);
	}
}

/* %NX: N characters of class X; %P a password, %W a word, %% itself. */
static void add_form(struct str *out, const char *form)
{
	for (const char *p = form; *p; p++) {
		size_t n = 0;
		if (*p != '%') {
			str_addc(out, *p);
			continue;
		}
		for (p++; isdigit((unsigned char)*p); p++)
			n = n * 10 + (size_t)(*p - '0');
		switch (*p) {
		case 'a': add_from(out, UPPER LOWER DIGITS, n); break;
		case 'h': add_from(out, "0123456789abcdef", n); break;
		case 'U': add_from(out, UPPER DIGITS, n); break;
		case 'w': add_from(out, UPPER LOWER DIGITS "_-", n - 1); add_from(out, UPPER LOWER, 1); break;
		case 'l': add_from(out, LOWER, n); break;
		case 'L': add_from(out, UPPER LOWER, n); break;
		case 'd': add_from(out, "123456789", 1); add_from(out, DIGITS, n - 1); break;
		case 'b': add_from(out, UPPER LOWER DIGITS "+/", n); break;
		case 'P': add_password(out); break;
		case 'W': str_add(out, nouns[pick(MEM_COUNT(nouns))]); break;
		default: str_addc(out, *p);
		}
	}
}

/* ---- secrets ---- */

static const char *const tokens[] = {
	"AKIA%16U", "ASIA%16U", "ghp_%36a", "gho_%36a", "ghs_%36a", "ghu_%36a", "ghr_%36a", "github_pat_%22a_%59a", "glpat-%20w",
	"gldt-%20w", "glrt-%20w", "glptt-%40h", "xoxb-%12d-%12d-%24a", "xoxp-%12d-%12d-%12d-%32h", "xapp-1-A%10U-%13d-%64h",
	"https://hooks.slack.com/services/T%8U/B%10U/%24a", "sk_live_%24a", "rk_live_%24a", "sk_test_%24a", "whsec_%32a", "AIza%35w",
	"GOCSPX-%28w", "ya29.%68w", "sk-ant-api03-%93wAA", "sk-proj-%48wT3Blbk%24w", "sk-%48a", "npm_%36a", "pypi-AgEIcHlwaS5vcmc%80w",
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOi%40a.%43w", "SG.%22w.%43w", "SK%32h", "key-%32h", "%32h-us14", "dop_v1_%64h",
	"shpat_%32h", "sq0atp-%22w", "hf_%34L", "dapi%32h", "hvs.%90w", "%14a.atlasv1.%67w", "dckr_pat_%27w", "glsa_%32a_%8h",
	"lin_api_%40a", "ntn_%46a", "secret_%43a", "figd_%40w", "ATATT3%180w", "PMAK-%24h-%34h", "NRAK-%27U", "sntryu_%64h",
	"rubygems_%48h", "cio%32a", "pscale_tkn_%43w", "sbp_%40h", "gsk_%52a", "xai-%80a", "pplx-%48a", "r8_%37a", "%9d:AA%33w",
	"https://discord.com/api/webhooks/%18d/%68w", "AccountKey=%86b==", "age: AGE-SECRET-KEY-1%58U", "dp.pt.%43a", "pul-%40h",
	"nfp_%36a", "fo1_%43w", "tskey-auth-%12a-%24a", "pat%14a.%64h", "AKCp%69a", "access_token$production$%16a$%32h",
};

/* Where it stands: a path, and what is before and behind it. */
static const struct place {
	const char *path, *before, *behind;
} token_places[] = {
	{"src/client.py", "client = Client(\"", "\")\n"},
	{"config/app.yaml", "service:\n  value: ", "\n"},
	{"deploy.sh", "export SERVICE_AUTH='", "'\n"},
	{"settings.json", "{\"service\": {\"auth\": \"", "\"}}\n"},
	{"docs/setup.md", "Then run `login ", "` once.\n"},
	{"src/a.js", "const c = new Client({auth: `", "`});\n"},
	{"prod.properties", "service.auth=", "\n"},
	{"Dockerfile", "ENV SERVICE_AUTH ", "\n"},
}, value_places[] = {
	{"src/db.py", "DB_PASSWORD = \"", "\"\n"},
	{"src/db.py", "connect(host, user='app', password='", "')\n"},
	{"src/db.ts", "  password: '", "',\n"},
	{"src/db.ts", "const password: string = \"", "\";\n"},
	{"src/Db.java", "private static final String DB_PASSWORD = \"", "\";\n"},
	{"src/db.go", "\tpassword := \"", "\"\n"},
	{"src/db.c", "static const char password[] = \"", "\";\n"},
	{"src/db.h", "#define DB_PASSWORD \"", "\"\n"},
	{"src/db.rb", "config['smtp_password'] = '", "'\n"},
	{"src/db.php", "define('DB_PASSWORD', '", "');\n"},
	{"app.ini", "[db]\npassword = ", "\n"},
	{"application.properties", "spring.datasource.password=", "\n"},
	{"compose.yaml", "    environment:\n      POSTGRES_PASSWORD: ", "\n"},
	{"compose.yaml", "    environment:\n      - MYSQL_ROOT_PASSWORD=", "\n"},
	{"config.json", "{\"user\": \"app\", \"password\": \"", "\"}\n"},
	{"deploy.sh", "export PGPASSWORD=", "\n"},
	{"notes.txt", "password=", "\n"},
	{"settings.xml", "<server><password>", "</password></server>\n"},
	{"src/App.cs", "var c = \"Server=db;User=app;Password=", ";\";\n"},
	{"settings.toml", "db_passwd = \"", "\"\n"},
}, key_places[] = {
	{"src/app.py", "SECRET_KEY = \"", "\"\n"},
	{"src/app.py", "client = Client(api_key=\"", "\")\n"},
	{"src/app.ts", "  apiKey: \"", "\",\n"},
	{"src/app.ts", "process.env.API_SECRET = '", "';\n"},
	{"config/app.yaml", "  client_secret: ", "\n"},
	{"config/app.yaml", "  access_token: \"", "\"\n"},
	{"ci.env.txt", "SERVICE_API_KEY=", "\n"},
	{"src/App.java", "String authToken = \"", "\";\n"},
	{"config.json", "{\"apiSecret\": \"", "\"}\n"},
	{"deploy.sh", "WEBHOOK_SECRET='", "'\n"},
	{"src/app.js", "headers['Authorization'] = 'Bearer ", "';\n"},
	{"call.sh", "curl -H \"Authorization: Bearer ", "\" https://api.internal/x\n"},
};
static const char *const keys[] = {"%32h", "%40h", "%24a", "%32a", "%40b", "%64h", "%8h-%4h-%4h-%4h-%12h", "%20w%4d"};
static const char *const urls[] = {"postgres://app:%P@db.internal:5432/app", "redis://:%P@10.0.0.3:6379", "https://deploy:%P@git.corp.lan/x.git",
                                   "mongodb+srv://svc:%P@cluster0.mongodb.net", "amqp://worker:%P@mq/%%2f"};
static const char *const names[] = {".env", ".env.production", "deploy/server.key", "certs/tls.pem", "id_rsa", "home/.ssh/id_ed25519", "a/store.p12",
                                    "cert.pfx", "release.keystore", "app.jks", ".netrc", ".pgpass", ".pypirc", ".htpasswd", ".git-credentials",
                                    ".aws/credentials", "home/.docker/config.json", "vault.kdbx", "putty.ppk", "client_secret_1.json"};
static const char *const modes[] = {"chmod 777 /srv/data", "chmod -R 0777 .", "chmod a+rwx run.sh", "chmod o+w log", "chmod 666 db.sqlite",
                                    "chmod ugo+w x", "mkdir -p -m 777 /var/x", "install -m 0666 a /b", "umask 000", "chmod u=rwx,g=rwx,o=rwx x"};
static const char *const key_kinds[] = {"RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED ", "DSA "};

static void add_private_key(struct str *out, const char *path)
{
	const char *kind = key_kinds[pick(MEM_COUNT(key_kinds))];
	bool escaped = str_ends(path, ".json"), indented = str_ends(path, ".yaml");
	const char *newline = escaped ? "\\n" : indented ? "\n    " : "\n";

	str_addf(out, "%s-----BEGIN %sPRIVATE KEY-----%s", escaped ? "{\"private_key\": \"" : indented ? "tls:\n  key: |\n    " : "", kind, newline);
	for (int i = 0; i < 8; i++) {
		add_form(out, "%64b");
		str_add(out, newline);
	}
	str_addf(out, "-----END %sPRIVATE KEY-----%s", kind, escaped ? "\"}\n" : "\n");
}

static void in_place(struct sample *out, const struct place *p, const char *form)
{
	out->path = p->path;
	str_add(&out->text, p->before);
	add_form(&out->text, form);
	str_add(&out->text, p->behind);
}

bool sample_secret(struct sample *out, size_t i, unsigned seed)
{
	static const char *const key_files[] = {"deploy/key.txt", "account.json", "values.yaml", "src/key.py"};

	*out = (struct sample){0};
	seed_with(i, seed);
	size_t n = MEM_COUNT(tokens) * MEM_COUNT(token_places);
	if (i < n) {
		out->group = "token of a known kind";
		in_place(out, &token_places[i % MEM_COUNT(token_places)], tokens[i / MEM_COUNT(token_places)]);
		return true;
	}
	i -= n;
	n = MEM_COUNT(value_places) * 20;
	if (i < n) {
		out->group = "password";
		in_place(out, &value_places[i % MEM_COUNT(value_places)], "%P");
		return true;
	}
	i -= n;
	n = MEM_COUNT(key_places) * MEM_COUNT(keys) * 3;
	if (i < n) {
		out->group = "key or token by its name";
		in_place(out, &key_places[i % MEM_COUNT(key_places)], keys[i / MEM_COUNT(key_places) % MEM_COUNT(keys)]);
		return true;
	}
	i -= n;
	n = MEM_COUNT(urls) * 10;
	if (i < n) {
		out->group = "password in a URL";
		in_place(out, &token_places[i % MEM_COUNT(token_places)], urls[i % MEM_COUNT(urls)]);
		return true;
	}
	i -= n;
	n = MEM_COUNT(key_files) * 6;
	if (i < n) {
		out->group = "private key";
		out->path = key_files[i % MEM_COUNT(key_files)];
		add_private_key(&out->text, out->path);
		return true;
	}
	i -= n;
	if (i < MEM_COUNT(names)) {
		out->group = "file by its name";
		out->path = names[i];
		str_add(&out->text, "something\n");
		return true;
	}
	i -= MEM_COUNT(names);
	if (i < MEM_COUNT(modes)) {
		out->group = "open to the world";
		out->path = i % 2 ? "setup.sh" : "Dockerfile";
		str_addf(&out->text, "%s%s\n", i % 2 ? "" : "RUN ", modes[i]);
		return true;
	}
	return false;
}

/* ---- harmless ---- */

static const struct {
	const char *group, *path, *form;
} harmless[] = {
	{"hash, id", "a.py", "digest = \"%64h\"\n"},
	{"hash, id", "a.py", "assert sha1 == '%40h'\n"},
	{"hash, id", "sums.txt", "%64h  dist/app-1.2.3.tar.gz\n"},
	{"hash, id", "a.ts", "const id = \"%8h-%4h-%4h-%4h-%12h\";\n"},
	{"hash, id", "a.sql", "INSERT INTO users VALUES ('%8h-%4h-%4h-%4h-%12h', '$2b$12$%53a');\n"},
	{"hash, id", "a.json", "{\"password_hash\": \"$argon2id$v=19$m=65536$%22b$%43b\"}\n"},
	{"hash, id", "a.json", "{\"password\": \"$2y$10$%53a\"}\n"},
	{"hash, id", "action.yml", "  - uses: actions/checkout@%40h\n"},
	{"hash, id", "a.go", "\tcommit := \"%40h\"\n"},
	{"hash, id", "a.json", "{\"secret_id\": \"%8h-%4h-%4h-%4h-%12h\", \"token_type\": \"bearer\", \"key_id\": \"%16h\"}\n"},
	{"hash, id", "index.html", "<script src=\"a.js\" integrity=\"sha384-%64b\"></script>\n"},
	{"hash, id", "Dockerfile", "FROM alpine@sha256:%64h\n"},
	{"base64 test data", "test_a.py", "DATA = b\"%76b\"\n"},
	{"base64 test data", "a.css", ".x { background: url(data:image/png;base64,%200b); }\n"},
	{"base64 test data", "fixture.json", "{\"body\": \"%120b==\", \"next_page_token\": null}\n"},
	{"base64 test data", "cert.pem", "-----BEGIN CERTIFICATE-----\n%64b\n%64b\n-----END CERTIFICATE-----\n"},
	{"base64 test data", "pub.txt", "ssh-rsa AAAAB3NzaC1yc2E%200b user@host\n"},
	{"base64 test data", "a.txt", "-----BEGIN PUBLIC KEY-----\n%64b\n-----END PUBLIC KEY-----\n"},
	{"lock file", "package-lock.json", "    \"node_modules/js-tokens\": {\n      \"version\": \"4.0.0\",\n      \"integrity\": \"sha512-%86b==\"\n"},
	{"lock file", "yarn.lock", "api-key@^1.2.3:\n  resolved \"https://r.org/api-key-1.2.3.tgz#%40h\"\n  integrity sha512-%86b==\n"},
	{"lock file", "go.sum", "github.com/x/secret v1.2.3 h1:%43b=\n"},
	{"lock file", "Cargo.lock", "name = \"secrecy\"\nversion = \"0.8.0\"\nchecksum = \"%64h\"\n"},
	{"lock file", "poetry.lock", "    {file = \"passlib-1.7.4.tar.gz\", hash = \"sha256:%64h\"},\n"},
	{"minified code", "app.min.js", "var a={password:\"%6l\",token:b.token,secretKey:c?d:\"%10l\"};function e(f){return f.key===\"%12l\"}\n"},
	{"minified code", "vendor.js.map", "{\"version\":3,\"mappings\":\"%300a;AAAA\",\"names\":[\"password\",\"apiKey\"]}\n"},
	{"minified code", "chunk.js", "!function(e,t){e.password=t.getPassword(),e.apiKey=t.config.apiKey,e.secret=t.s}(this,n(%4d));\n"},
	{"placeholder", "a.ini", "password = changeme\nsecret = your-secret-here\n"},
	{"placeholder", "a.ini", "password = <your password>\napi_key = ${API_KEY}\n"},
	{"placeholder", ".env.example", "DB_PASSWORD=\nAPI_KEY=xxxxxxxxxxxxxxxx\nSECRET_KEY=change-me-1\n"},
	{"placeholder", "a.yaml", "password: \"{{ vault_password }}\"\ntoken: !vault |\n"},
	{"placeholder", "a.yaml", "password: ${{ secrets.DB_PASSWORD2 }}\n"},
	{"placeholder", "a.yaml", "  valueFrom:\n    secretKeyRef:\n      name: app-secret-2\n      key: password\n"},
	{"placeholder", "a.py", "password = \"********\"\napi_key = \"00000000000000000000\"\n"},
	{"placeholder", "a.py", "aws_access_key_id = \"AKIAIOSFODNN7EXAMPLE\"\n"},
	{"placeholder", "a.py", "token = \"ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"\n"},
	{"placeholder", "a.tf", "password = var.db_password_1\n"},
	{"placeholder", "a.sh", "export PASSWORD=\"$1\"\nTOKEN=$(cat /run/secrets/token1)\n"},
	{"placeholder", "compose.yaml", "  POSTGRES_PASSWORD_FILE: /run/secrets/db1\n  POSTGRES_PASSWORD: postgres\n"},
	{"placeholder", "a.md", "`postgres://user:password@localhost:5432/db`\n"},
	{"placeholder", "a.md", "`https://<user>:<token>@host/x` or `https://user:$TOKEN@host`\n"},
	{"code", "a.py", "password = getpass.getpass()\nsecret = os.environ[\"SECRET1\"]\ntoken = request.headers.get('token2')\n"},
	{"code", "a.py", "if password == \"\":\n    raise ValueError(\"password must not be empty\")\n"},
	{"code", "a.ts", "const apiKey = process.env.API_KEY_V2 ?? config.get('apiKey');\n  password: string;\n"},
	{"code", "a.ts", "password: 'Password',\n  passwordRepeat: 'Repeat your password',\n  secret: \"Geheimnis\",\n"},
	{"code", "a.java", "String USER_TOKEN_KEY = \"user_token_2\";\nString password = rs.getString(\"password\");\n"},
	{"code", "a.c", "static const char *const secret = \"the-secret\";\n#define TOKEN_KEY \"token.key.v2\"\n"},
	{"code", "a.c", "case KEY_TOKEN: return \"oauth2-token\";\nsize_t key = hash(text, n);\n"},
	{"code", "a.go", "func (c *Client) SetPassword(password string) { c.password = password }\n"},
	{"code", "a.rs", "let token = tokens.next().unwrap_or(Token::Eof2);\nlet secret: &[u8] = &buf[..32];\n"},
	{"code", "a.rb", "password = ENV.fetch(\"DB_PASSWORD\") { credentials.db1[:password] }\n"},
	{"code", "i18n/de.json", "{\"password\": \"Passwort\", \"secret\": \"Gemeinsames Geheimnis\", \"api_key\": \"API-Schl\xc3\xbcssel\"}\n"},
	{"code", "a.css", "input[type=password] { color: #a1b2c3; }\n.token.keyword { color: #07a1b2; }\n"},
	{"code", "a.html", "<input type=\"password\" name=\"password\" id=\"password1\" placeholder=\"Password\">\n"},
	{"code", "a.sh", "chmod 755 run.sh\nchmod 1777 /tmp/x\nchmod +x a\nchmod g+w b\nmkdir -m 700 c\numask 022\n# never chmod 777\n"},
	{"documentation", "README.md", "Set `password` in the configuration. A token begins with `ghp_` or `sk-`.\n"},
	{"documentation", "README.md", "The password: at least 8 characters, one of them a digit.\n| secret | text | the shared secret |\n"},
	{"documentation", "README.md", "Private keys begin with `-----BEGIN RSA PRIVATE KEY-----`.\n"},
	{"documentation", "docs/jwt.md", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c\n"},
	{"documentation", "docs/api.md", "curl -H \"Authorization: Bearer $TOKEN\" https://api.example.com\ncurl -u user:password https://example.com\n"},
	{"documentation", "docs/api.md", "    \"access_token\": \"<access token>\", \"expires_in\": 3600, \"token\": \"string\"\n"},
	{"documentation", "CHANGES", "* 2024-01-02: the secret: now read at start (#1234). password=... is refused.\n"},
};

bool sample_harmless(struct sample *out, size_t i, unsigned seed)
{
	enum { ROUNDS = 10 };

	*out = (struct sample){0};
	seed_with(i, seed + 1);
	if (i >= MEM_COUNT(harmless) * ROUNDS)
		return false;
	out->group = harmless[i / ROUNDS].group;
	out->path = harmless[i / ROUNDS].path;
	add_form(&out->text, harmless[i / ROUNDS].form);
	return true;
}
