/* leak_path: what the name of a file says of what is in it. */
#include "leak.h"

#include <fnmatch.h>
#include <string.h>

#include "store/base/mem.h"

enum { LOOK = 64 * 1024 };

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool any(const char *const *globs, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (fnmatch(globs[i], text, FNM_CASEFOLD) == 0)
			return true;
	return false;
}
#define ANY(globs, text) any(globs, MEM_COUNT(globs), text)

static bool has(const char *text, size_t n, const char *word)
{
	return text && memmem(text, n < LOOK ? n : LOOK, word, strlen(word));
}

/* Certificates and public keys lie in .pem files, too; slides of a well-known program end in .key (an archive). */
static bool harmless(const char *text, size_t n)
{
	if (n > 4 && memcmp(text, "PK\3\4", 4) == 0)
		return true;
	return has(text, n, "-----BEGIN ") && !has(text, n, "PRIVATE KEY");
}

bool leak_path_secret(const char *path, const char *text, size_t n)
{
	static const char *const templates[] = {
		".env.example", ".env.sample", ".env.template", ".env.dist", ".env.tpl", ".env.schema", ".env.*.example",
		".env.*.sample", ".env.*.template", ".env.example.*", ".env.sample.*", ".env.template.*",
	};
	static const char *const keys[] = {"*.pem", "*.key", "*.crt"};
	static const char *const names[] = {
		".env", ".env.*", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.bcfks", "*.keytab", "*.ppk", "*.kdbx", "*.kdb",
		"*.agekey", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", ".netrc", "_netrc",
		".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf", ".git-credentials", ".pypirc", ".htpasswd", ".dockercfg",
		".s3cfg", ".boto", ".vault-token", ".vault_pass", ".vault_pass.txt", "client_secret*.json", "credentials.json",
		"wallet.dat", "*.tfstate", "*.tfstate.backup", "kubeconfig",
	};
	static const char *const places[] = {
		".aws/credentials", "*/.aws/credentials", ".docker/config.json", "*/.docker/config.json", ".kube/config",
		"*/.kube/config", ".config/gcloud/*.json", "*/.config/gcloud/*.json",
	};
	const char *base = base_of(path);

	if (text && !n)
		return false; /* an empty one */
	if (ANY(templates, base))
		return false;
	if (ANY(keys, base))
		return !text || !harmless(text, n);
	return ANY(names, base) || ANY(places, path);
}

bool leak_path_script(const char *path, const char *text, size_t n)
{
	static const char *const names[] = {
		"*.sh", "*.bash", "*.zsh", "*.ksh", "*.fish", "Dockerfile", "Dockerfile.*", "*.dockerfile", "Containerfile",
		"Containerfile.*", "Makefile", "GNUmakefile", "*.mk", "Jenkinsfile", "*.yml", "*.yaml", "*.py", "*.pl", "*.rb",
		"*.js", "*.mjs", "*.ts", "*.php", "*.go", "*.rs", "*.service", "*.bats", "postinst", "preinst", "justfile",
	};

	return (text && n > 2 && memcmp(text, "#!", 2) == 0) || ANY(names, base_of(path));
}

bool leak_path_code(const char *path)
{
	static const char *const names[] = {
		"*.c", "*.h", "*.cc", "*.cpp", "*.cxx", "*.hh", "*.hpp", "*.hxx", "*.m", "*.mm", "*.cs", "*.java", "*.kt", "*.kts",
		"*.scala", "*.groovy", "*.gradle", "*.go", "*.rs", "*.swift", "*.js", "*.jsx", "*.mjs", "*.cjs", "*.ts", "*.tsx",
		"*.vue", "*.svelte", "*.py", "*.pyi", "*.rb", "*.erb", "*.php", "*.pl", "*.pm", "*.lua", "*.r", "*.jl", "*.ex",
		"*.exs", "*.erl", "*.hs", "*.ml", "*.mli", "*.clj", "*.dart", "*.zig", "*.nim", "*.sql", "*.css", "*.scss",
		"*.html", "*.htm", "*.ipynb", "*.json", "*.proto", "*.graphql", "*.awk", "*.def", "*.el", "*.vim", "*.po", "*.tf",
	};

	return ANY(names, base_of(path));
}

bool leak_path_made(const char *path)
{
	static const char *const names[] = {
		"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "composer.lock", "Cargo.lock",
		"Gemfile.lock", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "go.sum", "*.lock", "*.min.js", "*.min.css",
		"*.map", "*.svg", "*.snap",
	};

	return ANY(names, base_of(path));
}
