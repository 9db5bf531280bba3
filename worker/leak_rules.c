/* leak_rules: the table of what secrets look like. Tokens as their makers describe them; a new one is one line here and
 * one in tests/unit/leak_samples/samples.c. */
#include "leak_rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "store/base/mem.h"

/* A token stands alone: nothing of its letters before it, nor behind it. */
#define WORD(text) "(?<![A-Za-z0-9_-])(" text ")(?![A-Za-z0-9_-])"
#define START(text) "(?<![A-Za-z0-9_-])(" text ")"
#define HEX "[0-9a-f]"
#define AN "[A-Za-z0-9]"

#define TOKEN(name, what, hint, regex) {name, what, hint, regex, LEAK_SHAPE, 0, false}

#define ENV_ADVICE "read it from the environment or a secret store"

/* Words before a value. What is behind them ends the name: "password_hash", "token_id" are others. */
#define PASSWORD_WORDS "(?:passw(?:or)?d|passphrase|(?<![a-z])pwd|[_-]pwd|[_-]pass|dbpass)"
#define KEY_WORDS                                                                                                            \
	"(?:secret|api[_-]?key|(?:access|auth|private|signing|encryption|master|service|account|secret|storage|client|session|" \
	"shared|license|deploy)[_-]?key|(?:access|auth|api|bearer|refresh|secret|bot|deploy|personal|security|webhook)"         \
	"[_-]?token|credentials?|(?-i:_TOKEN|_KEY))"
#define ENDING "(?:[_-]?(?:production|prod|live|staging|dev|test|base64|b64|value|\\d{1,2}))?"
#define ASSIGN                                                                                                               \
	"(?:\\\\?[\"'`]?[\\])]{0,2}(?:\\s{0,4}:\\s{0,4}[\\w\\[\\]<>|?.&]{1,40}?)?\\s{0,20}(?:=>|:=|[=!]==?|=|:)|[\"'`]\\s{0,4},|" \
	"\\[\\w{0,8}\\]\\s{0,4}=|(?<=define )\\s|\\s(?=\\s{0,20}\"))"
#define QUOTED "\\s{0,20}(?:[a-zA-Z]{0,2}|@|String\\()\\\\?[\"'`]([^\\s\"'`\\\\<>]{6,200})\\\\?[\"'`]"
#define BARE "[\"']?\\s{0,4}[=:]\\s{0,4}([^\\s\"'`#;,<>(){}\\[\\]\\\\|&][^\\s\"'`;,<>(){}\\[\\]\\\\|&]{5,199})(?=\\s|$|[;,])"

const struct leak_rule leak_rules_all[] = {
	[LEAK_FILE_NAME] = {"file-name", "a file that holds secrets by its name; take it out and add it to .gitignore", NULL, NULL,
	                    LEAK_ALWAYS, 0, false},
	[LEAK_PRIVATE_KEY] = {"private-key", "a private key; take it out: keys are made where they are used, or come from a secret store",
	                      "PRIVATE Private-Lines:", NULL, LEAK_ALWAYS, 0, false},
	[LEAK_WORLD_WRITABLE] = {"world-writable", "anybody may write to it; give the right to no more than owner and group", NULL, NULL,
	                         LEAK_ALWAYS, 0, false},
	[LEAK_ALLOW] = {"allow-file", "a task must not change what is allowed; put the file back, and ask for the change in the result",
	                NULL, NULL, LEAK_ALWAYS, 0, false},

	TOKEN("aws-access-key", "an access key of AWS", "AKIA ASIA ABIA ACCA", WORD("(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}")),
	{"aws-secret-key", "a secret key of AWS", NULL,
	 "aws.{0,30}?(?:secret|sk).{0,20}?[=:,]\\s{0,4}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", LEAK_SHAPE, 0, true},
	TOKEN("github-token", "a token of GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", WORD("gh[pousr]_[A-Za-z0-9]{30,255}")),
	TOKEN("github-token", "a token of GitHub", "github_pat_", START("github_pat_\\w{40,}")),
	TOKEN("gitlab-token", "a token of GitLab", "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glsoat- glagent- gloas- glffct-",
	      START("gl(?:pat|dt|rt|cbt|ptt|ft|imt|soat|agent|oas|ffct)-[\\w-]{20,}")),
	TOKEN("slack-token", "a token of Slack", "xox", START("xox[abeoprs]-[A-Za-z0-9-]{10,}")),
	TOKEN("slack-token", "a token of Slack", "xapp-", START("xapp-\\d-[A-Z0-9]+-\\d+-[a-z0-9]{20,}")),
	TOKEN("slack-webhook", "a web hook of Slack", "hooks.slack.com", "hooks\\.slack\\.com/(?:services|workflows|triggers)/([\\w/+]{30,})"),
	TOKEN("stripe-key", "a key of Stripe", "_live_ _test_ _prod_", WORD("[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,}")),
	TOKEN("stripe-key", "a signing secret of Stripe", "whsec_", START("whsec_[A-Za-z0-9+/=]{24,}")),
	TOKEN("google-key", "an API key of Google", "AIza", WORD("AIza[\\w-]{35}")),
	TOKEN("google-key", "a client secret of Google", "GOCSPX-", WORD("GOCSPX-[\\w-]{28}")),
	TOKEN("google-key", "an access token of Google", "ya29.", START("ya29\\.[\\w-]{30,}")),
	TOKEN("anthropic-key", "a key of Anthropic", "sk-ant-", START("sk-ant-[\\w-]{20,}")),
	TOKEN("openai-key", "a key of OpenAI", "sk-", START("sk-(?:proj|svcacct|admin|or-v1)-[\\w-]{20,}")),
	TOKEN("openai-key", "a key of OpenAI", "sk-", WORD("sk-[A-Za-z0-9]{32,}")),
	TOKEN("npm-token", "a token of npm", "npm_", WORD("npm_[A-Za-z0-9]{36,}")),
	{"npm-token", "a token of a package registry", "_auth", ":_(?:authToken|auth|password)\\s{0,4}=\\s{0,4}[\"']?([\\w/+=.-]{16,})", LEAK_KEY, 0, false},
	TOKEN("pypi-token", "a token of PyPI", "pypi-", START("pypi-[\\w-]{50,}")),
	TOKEN("jwt", "a JSON web token", "eyJ", START("eyJ[\\w-]{8,}\\.eyJ[\\w-]{8,}\\.[\\w-]{16,}")),
	TOKEN("sendgrid-key", "a key of SendGrid", "SG.", START("SG\\.[\\w-]{16,32}\\.[\\w-]{16,64}")),
	TOKEN("twilio-key", "a key of Twilio", "SK", WORD("SK[0-9a-f]{32}")),
	TOKEN("mailgun-key", "a key of Mailgun", "key-", WORD("key-[0-9a-f]{32}")),
	TOKEN("mailchimp-key", "a key of Mailchimp", "-us", WORD("[0-9a-f]{32}-us\\d{1,2}")),
	TOKEN("digitalocean-token", "a token of DigitalOcean", "_v1_", WORD("do[opr]_v1_[0-9a-f]{64}")),
	TOKEN("shopify-token", "a token of Shopify", "shpat_ shpca_ shppa_ shpss_ shptka_", WORD("shp(?:at|ca|pa|ss|tka)_[0-9a-fA-F]{32}")),
	TOKEN("square-token", "a token of Square", "sq0", WORD("sq0(?:atp|csp)-[\\w-]{22,}")),
	TOKEN("braintree-token", "a token of Braintree", "access_token$", "(access_token\\$production\\$\\w{16}\\$[0-9a-f]{32})"),
	TOKEN("huggingface-token", "a token of Hugging Face", "hf_", WORD("hf_[A-Za-z0-9]{30,40}")),
	TOKEN("databricks-token", "a token of Databricks", "dapi", WORD("dapi[0-9a-f]{32}(?:-\\d)?")),
	TOKEN("vault-token", "a token of Vault", "hvs. hvb. hvr.", START("hv[sbr]\\.[\\w-]{24,}")),
	TOKEN("terraform-token", "a token of Terraform Cloud", ".atlasv1.", START("[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{60,}")),
	TOKEN("docker-token", "a token of Docker Hub", "dckr_", START("dckr_(?:pat|oat)_[\\w-]{24,}")),
	TOKEN("grafana-token", "a token of Grafana", "glc_ glsa_", START("gl(?:c_[A-Za-z0-9+/]{32,}|sa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8})")),
	TOKEN("linear-key", "a key of Linear", "lin_", WORD("lin_(?:api|oauth)_[A-Za-z0-9]{32,}")),
	TOKEN("notion-token", "a token of Notion", "ntn_", WORD("ntn_[A-Za-z0-9]{40,}")),
	TOKEN("notion-token", "a token of Notion", "secret_", WORD("secret_[A-Za-z0-9]{43}")),
	TOKEN("figma-token", "a token of Figma", "figd_ figo_ figu_", START("fig[dou]_[\\w-]{40}")),
	TOKEN("atlassian-token", "a token of Atlassian", "ATATT3", START("ATATT3[\\w=-]{60,}")),
	TOKEN("postman-key", "a key of Postman", "PMAK-", WORD("PMAK-[0-9a-f]{24}-[0-9a-f]{34}")),
	TOKEN("newrelic-key", "a key of New Relic", "NRAK-", WORD("NRAK-[A-Z0-9]{27}")),
	TOKEN("sentry-token", "a token of Sentry", "sntry", START("sntry(?:s_[\\w+/=]{60,}|u_[0-9a-f]{64})")),
	TOKEN("rubygems-key", "a key of RubyGems", "rubygems_", WORD("rubygems_[0-9a-f]{48}")),
	TOKEN("crates-token", "a token of crates.io", "cio", WORD("cio[A-Za-z0-9]{32}")),
	TOKEN("planetscale-token", "a token of PlanetScale", "pscale_", START("pscale_(?:tkn|pw|oauth)_[\\w.=-]{32,}")),
	TOKEN("supabase-token", "a token of Supabase", "sbp_", WORD("sbp_[0-9a-f]{40}")),
	TOKEN("groq-key", "a key of Groq", "gsk_", WORD("gsk_[A-Za-z0-9]{48,}")),
	TOKEN("xai-key", "a key of xAI", "xai-", WORD("xai-[A-Za-z0-9]{60,}")),
	TOKEN("perplexity-key", "a key of Perplexity", "pplx-", WORD("pplx-[A-Za-z0-9]{40,}")),
	TOKEN("replicate-token", "a token of Replicate", "r8_", WORD("r8_[A-Za-z0-9]{37}")),
	TOKEN("telegram-token", "a token of a Telegram bot", ":AA", WORD("\\d{8,10}:AA[\\w-]{33}")),
	TOKEN("discord-webhook", "a web hook of Discord", "/api/webhooks/", "discord(?:app)?\\.com/api/webhooks/(\\d+/[\\w-]{60,})"),
	TOKEN("discord-token", "a token of a Discord bot", NULL, WORD("[MNO][A-Za-z0-9_-]{23,25}\\.[\\w-]{6}\\.[\\w-]{27,38}")),
	TOKEN("azure-key", "a key of an Azure storage account", "AccountKey=", "AccountKey=([A-Za-z0-9+/]{86}==)"),
	TOKEN("azure-key", "a client secret of Azure", "Q~", START("[\\w~.-]{3}\\dQ~[\\w~.-]{31,34}")),
	TOKEN("age-key", "a private key of age", "AGE-SECRET-KEY-1", WORD("AGE-SECRET-KEY-1[0-9A-Z]{58}")),
	TOKEN("doppler-token", "a token of Doppler", "dp.", START("dp\\.(?:pt|st|sa|ct|scim|audit)\\.(?:[a-z0-9_-]{2,35}\\.)?[A-Za-z0-9]{40,}")),
	TOKEN("pulumi-token", "a token of Pulumi", "pul-", WORD("pul-[0-9a-f]{40}")),
	TOKEN("netlify-token", "a token of Netlify", "nfp_", WORD("nfp_\\w{36,}")),
	TOKEN("fly-token", "a token of Fly.io", "fo1_", START("fo1_[\\w-]{43}")),
	TOKEN("tailscale-key", "a key of Tailscale", "tskey-", START("tskey-(?:auth|api|client|scim|webhook)-[\\w-]{20,}")),
	TOKEN("airtable-token", "a token of Airtable", "pat", WORD("pat[A-Za-z0-9]{14}\\.[0-9a-f]{64}")),
	TOKEN("artifactory-key", "a key of Artifactory", "AKCp", WORD("AKCp[A-Za-z0-9]{60,}")),

	{"authorization-header", "a token in a header; " ENV_ADVICE, NULL,
	 "authorization[\"'`]?\\]?\\s{0,4}[:=,]\\s{0,4}[a-z]?[\"'`]?(?:bearer|token|basic)\\s{1,4}([\\w.~+/=-]{16,})", LEAK_KEY, LEAK_TEXT, true},
	{"url-password", "a password in a URL; " ENV_ADVICE, "://",
	 "\\b[a-z][a-z0-9+.-]{1,20}://[^\\s:/@\"'<>]{0,80}:([^\\s@/\"'<>:]{4,120})@[a-z0-9\\[]", LEAK_PASSWORD, LEAK_TEXT, true},
	{"password", "a password given to curl; " ENV_ADVICE, "curl",
	 "\\bcurl\\b.{0,200}?\\s(?:-u|--user)[ =][\"']?[^\\s:\"'$]{1,80}:([^\\s\"'$]{4,120})", LEAK_PASSWORD, LEAK_TEXT, false},
	{"password", "a password in a connection string; " ENV_ADVICE, NULL,
	 ";\\s{0,4}(?:password|pwd)\\s{0,4}=\\s{0,4}([^\\s;\"'`<>]{6,120})\\s{0,4}[;\"'`]", LEAK_PASSWORD, LEAK_TEXT, true},
	{"password", "a password; " ENV_ADVICE, NULL, "<" PASSWORD_WORDS ">([^<>\\s]{6,120})</", LEAK_PASSWORD, LEAK_TEXT | LEAK_WRITTEN, true},
	{"password", "a password; " ENV_ADVICE, NULL, PASSWORD_WORDS ENDING ASSIGN QUOTED, LEAK_PASSWORD, LEAK_TEXT | LEAK_WRITTEN, true},
	{"secret", "a key or token; " ENV_ADVICE, NULL, KEY_WORDS ENDING ASSIGN QUOTED, LEAK_KEY, LEAK_TEXT | LEAK_WRITTEN, true},
	{"password", "a password; " ENV_ADVICE, NULL, PASSWORD_WORDS ENDING BARE, LEAK_PASSWORD, LEAK_TEXT | LEAK_WRITTEN | LEAK_NO_CODE, true},
	{"secret", "a key or token; " ENV_ADVICE, NULL, KEY_WORDS ENDING BARE, LEAK_KEY, LEAK_TEXT | LEAK_WRITTEN | LEAK_NO_CODE, true},

	/* The last octal digit has the bit for writing, and none says that only owners may remove (1777). */
	{"world-writable", "anybody may write to it; give the right to no more than owner and group", "chmod",
	 "\\bchmod\\s{1,4}(?:-{1,2}[\\w-]{1,20}\\s{1,4})*[\"']?((?:[0246]?[0-7]{2}[2367]|(?:[ugoa]{1,4}[-+=][rwxXst]{0,6},)*(?:[ugo]{0,2}o[ug]{0,2}|[ugo]{0,3}a[ugo]{0,3})[+=][rxXst]{0,5}w[rwxXst]{0,5}))(?![\\w,]|\\s{0,4}[-&] )",
	 LEAK_ALWAYS, LEAK_TEXT | LEAK_SCRIPT, false},
	{"world-writable", "anybody may write to it; give the right to no more than owner and group", "chmod",
	 "(?:--chmod=|chmod(?:Sync)?\\([^()]{0,80},\\s{0,4})((?:0o?)?[0246]?[0-7]{2}[2367])(?!\\w|\\s{0,4}[-&^])", LEAK_ALWAYS, LEAK_TEXT | LEAK_SCRIPT, false},
	{"world-writable", "anybody may write to it; give the right to no more than owner and group", "-m",
	 "\\b(?:mkdir|install)\\s.{0,80}?(?:-m|--mode)[ =]?\\s{0,4}[\"']?([0246]?[0-7]{2}[2367])\\b", LEAK_ALWAYS, LEAK_TEXT | LEAK_SCRIPT, false},
	{"world-writable", "anybody may write to what is made; use 022 or 077", "umask", "\\bumask\\s{1,4}(0{1,4})\\s{0,4}(?:$|[;&|#])",
	 LEAK_ALWAYS, LEAK_TEXT | LEAK_SCRIPT, false},
	{"world-writable", "anybody may write to it; give the right to no more than owner and group", "mode:",
	 "^[\\s-]{0,60}mode:\\s{0,4}[\"']?(0[0246]?[0-7]{2}[2367])[\"']?\\s{0,4}(?:$|#)", LEAK_ALWAYS, LEAK_TEXT | LEAK_SCRIPT, false},
};
const size_t leak_rules_n = MEM_COUNT(leak_rules_all);

const char *leak_rule_name(size_t i)
{
	return i < leak_rules_n ? leak_rules_all[i].name : NULL;
}

bool leak_rule_known(const char *name, size_t n)
{
	for (size_t i = 0; i < leak_rules_n; i++)
		if (strlen(leak_rules_all[i].name) == n && memcmp(leak_rules_all[i].name, name, n) == 0)
			return true;
	return false;
}

bool leak_rules_has(const struct leak_rule *rule, const char *p, size_t n)
{
	if (!rule->hint)
		return leak_rules_hinted(p, n);
	for (const char *word = rule->hint; *word;) {
		size_t len = strcspn(word, " ");
		if (memmem(p, n, word, len))
			return true;
		word += len + (word[len] == ' ');
	}
	return false;
}

bool leak_rules_hinted(const char *p, size_t n)
{
	static const char *const words[] = {"pass", "pwd", "secret", "key", "token", "credential", "authorization"};

	for (size_t i = 0; i + 3 <= n; i++) {
		int c = p[i] | 0x20;
		if (c != 'p' && c != 's' && c != 'k' && c != 't' && c != 'c' && c != 'a')
			continue;
		for (size_t w = 0; w < MEM_COUNT(words); w++) {
			size_t len = strlen(words[w]);
			if (words[w][0] == c && i + len <= n && strncasecmp(p + i, words[w], len) == 0)
				return true;
		}
	}
	return false;
}

int leak_rules_new(struct leak_rules **out, struct err *e)
{
	struct leak_rules *r = mem_alloc(sizeof *r);

	*out = NULL;
	r->patterns = mem_array(leak_rules_n, sizeof *r->patterns);
	for (size_t i = 0; i < leak_rules_n; i++)
		if (leak_rules_all[i].regex && pattern_new(&r->patterns[i], leak_rules_all[i].regex, leak_rules_all[i].icase, e) != 0) {
			leak_rules_free(r);
			return err_wrap(e, "rule %s", leak_rules_all[i].name);
		}
	*out = r;
	return 0;
}

void leak_rules_free(struct leak_rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < leak_rules_n; i++)
		pattern_free(r->patterns[i]);
	free(r->patterns);
	free(r);
}
