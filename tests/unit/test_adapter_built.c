/* The built-in agents against streams in the form of their programs: each class, the times of limits, what they are called
 * with, and that a model's own words are never taken for the program's (promise E3). */
#include "config_scratch.h"

#include "supervisor/config_agents.h"
#include "worker/adapter.h"

/* Friday 2026-11-20 22:57:09 UTC */
#define NOW UINT64_C(1795215429000)
#define IN(seconds) (NOW + UINT64_C(1000) * (seconds))

static struct config config;
static char *env[] = {"TZ=UTC", "HOME=/nowhere", NULL};

static int load(void **state)
{
	struct plan_faults faults = {0};
	AUTO_STRV struct strv overrides = {0};

	if (set_up(state))
		return -1;
	int rc = config_load(&config, scratch.repo, &overrides, &faults);
	plan_faults_fini(&faults);
	return rc;
}

static int unload(void **state)
{
	config_fini(&config);
	return tear_down(state);
}

static struct adapter *built(const char *name)
{
	const struct msg_agent *def = config_agents_get(&config, name);
	struct adapter *a;
	struct err e = {0};

	assert_non_null(def);
	assert_ok(adapter_new(&a, def, &e), &e);
	return a;
}

struct given {
	const char *agent, *out, *err;
	int status;
	enum adapter_class class;
	uint64_t until_ms;
	const char *said, *final;
	bool resume;
};

static void check(const struct given *g)
{
	struct adapter *a = built(g->agent);
	struct adapter_call call = {.cwd = "/w", .env = env, .session = adapter_presets(a) || g->resume ? "c-1" : NULL, .resume = g->resume};
	struct adapter_run *r = adapter_run_new(a, &call);
	struct adapter_outcome o;
	bool ended = false;

	if (g->out)
		adapter_feed(r, 1, g->out, strlen(g->out), NOW);
	if (g->err)
		adapter_feed(r, 2, g->err, strlen(g->err), NOW);
	ended = adapter_hopeless(r);
	struct job_result result = {.end = ended ? JOB_STOPPED : JOB_EXITED, .status = ended ? 0 : g->status};
	adapter_end(r, &result, IN(60), &o);
	if (o.class != g->class || o.until_ms != g->until_ms || (g->said && !str_eq(o.said, g->said)) || (g->final && !str_eq(o.final, g->final)))
		fail_msg("%s: %s%s: class %d until %lld said %s final %s", g->agent, g->out ? g->out : "", g->err ? g->err : "", (int)o.class,
		         (long long)(o.until_ms - NOW) / 1000, o.said ? o.said : "-", o.final ? o.final : "-");
	adapter_outcome_fini(&o);
	adapter_run_free(r);
	adapter_free(a);
}

/* ---- codex ---- */

#define CODEX_BEGIN                                                                                                        \
	"{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}\n{\"type\":\"turn.started\"}\n"                               \
	"{\"type\":\"item.completed\",\"item\":{\"type\":\"error\",\"message\":\"Model metadata not found.\"}}\n"
#define CODEX_FAILED(text) CODEX_BEGIN "{\"type\":\"error\",\"message\":\"" text "\"}\n{\"type\":\"turn.failed\",\"error\":{\"message\":\"" text "\"}}\n"
#define CODEX_HIT "You\xe2\x80\x99ve hit your usage limit. Upgrade to Pro, or try again "

#define CODEX_WAITS "{\"type\":\"error\",\"message\":\"Reconnecting... waiting for network (Connection failed: error sending request)\"}\n"
#define CODEX_OFFLINE CODEX_WAITS CODEX_WAITS CODEX_WAITS

static void codex(void **state)
{
	static const struct given cases[] = {
		{"codex", CODEX_BEGIN "{\"type\":\"error\",\"message\":\"Reconnecting... 1/5 (exceeded retry limit, last status: 429)\"}\n"
		 "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"done\"}}\n{\"type\":\"turn.completed\",\"usage\":{}}\n",
		 "", 0, ADAPTER_OK, 0, NULL, "done", false},
		{"codex", CODEX_BEGIN, "", 0, ADAPTER_FAILED, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED(CODEX_HIT "at 11:38 PM."), "", 1, ADAPTER_LIMIT, IN(41 * 60 + 51), CODEX_HIT "at 11:38 PM.", NULL, false},
		{"codex", CODEX_FAILED(CODEX_HIT "at Nov 25th, 2026 1:03 PM."), "", 1, ADAPTER_LIMIT, IN(396411), NULL, NULL, false},
		{"codex", CODEX_FAILED(CODEX_HIT "in 2 days 17 hours 14 minutes."), "", 1, ADAPTER_LIMIT, IN(234840), NULL, NULL, false},
		{"codex", CODEX_FAILED("You've hit your usage limit. Try again later."), "", 1, ADAPTER_LIMIT, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("Quota exceeded. Check your plan and billing details."), "", 1, ADAPTER_LIMIT, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("unexpected status 401 Unauthorized: Incorrect API key"), "", 1, ADAPTER_AUTH, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("The model `big` does not exist or you do not have access to it."), "", 1, ADAPTER_CONFIG, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("exceeded retry limit, last status: 429 Too Many Requests"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("Selected model is at capacity. Please try a different model."), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("We\xe2\x80\x99re currently experiencing high demand"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("stream disconnected before completion: stream closed"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"codex", CODEX_FAILED("something new"), "", 1, ADAPTER_FAILED, 0, "something new", NULL, false},
		{"codex", "", "Error: thread/resume: thread/resume failed: no rollout found for thread id c-1 (code -32600)\n", 1,
		 ADAPTER_UNKNOWN_SESSION, 0, NULL, NULL, true},
		/* It would wait for a network for ever. */
		{"codex", CODEX_BEGIN CODEX_OFFLINE CODEX_OFFLINE CODEX_OFFLINE "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\"}}\n"
		 CODEX_OFFLINE CODEX_OFFLINE CODEX_OFFLINE, "", 1, ADAPTER_FAILED, 0, NULL, NULL, false},
		{"codex", CODEX_BEGIN CODEX_OFFLINE CODEX_OFFLINE CODEX_OFFLINE CODEX_OFFLINE, "", 1, ADAPTER_TRANSIENT, 0,
		 "Reconnecting... waiting for network (Connection failed: error sending request)", NULL, false},
		{"codex", "", "sh: codex: not found\n", 127, ADAPTER_CONFIG, 0, NULL, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		check(&cases[i]);
}

/* ---- claude ---- */

#define CLAUDE_BEGIN "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"c-1\"}\n"
#define CLAUDE_END(error, status, text)                                                                                     \
	CLAUDE_BEGIN "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":" error ",\"api_error_status\":" status             \
		     ",\"num_turns\":1,\"result\":\"" text "\",\"session_id\":\"c-1\"}\n"
#define CLAUDE_RATE(status) "{\"type\":\"rate_limit_event\",\"rate_limit_info\":{\"status\":\"" status "\",\"resetsAt\":1795222629}}\n"

static void claude(void **state)
{
	static const struct given cases[] = {
		{"claude", CLAUDE_END("false", "null", "done"), "", 0, ADAPTER_OK, 0, NULL, "done", false},
		{"claude", CLAUDE_RATE("allowed_warning") CLAUDE_END("false", "null", "done"), "", 0, ADAPTER_OK, 0, NULL, NULL, false},
		{"claude", "{\"type\":\"result\",\"is_error\":false,\"result\":\"text\",\"structured_output\":{\"a\":1}}\n", "", 0, ADAPTER_OK, 0, NULL,
		 "{\"a\":1}", false},
		{"claude", CLAUDE_END("false", "null", "done"), "", 143, ADAPTER_FAILED, 0, NULL, NULL, false}, /* after a TERM */
		{"claude", CLAUDE_BEGIN, "", 0, ADAPTER_FAILED, 0, NULL, NULL, false},                            /* ... or an INT */
		{"claude", CLAUDE_RATE("rejected") CLAUDE_END("true", "429", "You've hit your limit \xc2\xb7 resets 12:30am (UTC)"), "", 1, ADAPTER_LIMIT,
		 IN(7200), NULL, NULL, false},
		{"claude", CLAUDE_END("true", "429", "You've hit your weekly limit \xc2\xb7 resets Nov 25, 1:03pm (UTC)"), "", 1, ADAPTER_LIMIT, IN(396411),
		 NULL, NULL, false},
		{"claude", CLAUDE_END("true", "429", "Claude AI usage limit reached|1795222629"), "", 1, ADAPTER_LIMIT, IN(7200), NULL, NULL, false},
		{"claude", CLAUDE_RATE("rejected") CLAUDE_END("true", "429", "other words"), "", 1, ADAPTER_LIMIT, IN(7200), "other words", NULL, false},
		{"claude", "{\"type\":\"result\",\"is_error\":true,\"num_turns\":1,\"total_cost_usd\":0,\"result\":\"Not logged in. Please run /login\"}\n", "", 1,
		 ADAPTER_AUTH, 0, NULL, NULL, false},
		{"claude", CLAUDE_END("true", "400", "Credit balance is too low"), "", 1, ADAPTER_LIMIT, 0, "Credit balance is too low", NULL, false},
		{"claude", CLAUDE_END("true", "429", "API Error: Request rejected (429)"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"claude", CLAUDE_END("true", "529", "API Error: 529 Overloaded."), "", 1, ADAPTER_TRANSIENT, 0, "API Error: 529 Overloaded.", NULL, false},
		{"claude", CLAUDE_END("true", "null", "API Error: Failed to parse JSON"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"claude", CLAUDE_BEGIN "{\"type\":\"result\",\"subtype\":\"error_during_execution\",\"is_error\":true,\"errors\":[\"why\"]}\n", "", 1,
		 ADAPTER_TRANSIENT, 0, "why", NULL, false},
		{"claude", CLAUDE_END("true", "401", "Invalid API key"), "", 1, ADAPTER_AUTH, 0, "Invalid API key", NULL, false},
		{"claude", CLAUDE_BEGIN "{\"type\":\"system\",\"subtype\":\"api_retry\",\"error_status\":401,\"error\":\"authentication_failed\"}\n", "", 0,
		 ADAPTER_AUTH, 0, NULL, NULL, false},
		{"claude", CLAUDE_BEGIN "{\"type\":\"system\",\"subtype\":\"api_retry\",\"error_status\":429,\"error\":\"rate_limit\"}\n"
		 CLAUDE_END("false", "null", "done"), "", 0, ADAPTER_OK, 0, NULL, NULL, false},
		{"claude", CLAUDE_END("true", "404", "There's an issue with the selected model"), "", 1, ADAPTER_CONFIG, 0, NULL, NULL, false},
		{"claude", "", "--dangerously-skip-permissions cannot be used with root/sudo privileges\n", 1, ADAPTER_CONFIG, 0, NULL, NULL, false},
		{"claude", "{\"type\":\"result\",\"subtype\":\"error_during_execution\",\"is_error\":true,\"errors\":[\"No conversation found\"]}\n",
		 "No conversation found with session ID: c-1\n", 1, ADAPTER_UNKNOWN_SESSION, 0, NULL, NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		check(&cases[i]);
}

/* ---- gemini ---- */

#define GEMINI_BEGIN "{\"type\":\"init\",\"session_id\":\"c-1\"}\n{\"type\":\"message\",\"role\":\"user\",\"content\":\"the task\"}\n"
#define GEMINI_SAYS(text) "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"" text "\",\"delta\":true}\n"
#define GEMINI_ERROR(text) GEMINI_BEGIN "{\"type\":\"result\",\"status\":\"error\",\"error\":{\"type\":\"unknown\",\"message\":\"[API Error: " text "]\"}}\n"
#define GEMINI_OK "{\"type\":\"result\",\"status\":\"success\",\"stats\":{\"input_tokens\":7}}\n"

static void gemini(void **state)
{
	static const struct given cases[] = {
		{"gemini", GEMINI_BEGIN GEMINI_SAYS("I will") "{\"type\":\"tool_result\"}\n" GEMINI_SAYS("all ") GEMINI_SAYS("done") GEMINI_OK,
		 "Attempt 1 failed: You exceeded your current quota. Please retry in 2s.. Retrying after 5809ms...\n", 0, ADAPTER_OK, 0, NULL, "all done",
		 false},
		{"gemini", GEMINI_BEGIN GEMINI_SAYS("I will"), "", 0, ADAPTER_FAILED, 0, NULL, NULL, false}, /* after a TERM */
		{"gemini", GEMINI_ERROR("You have exhausted your capacity on this model. Your quota will reset after 2h0m0s."), "", 173, ADAPTER_LIMIT,
		 IN(7200), NULL, NULL, false},
		{"gemini", GEMINI_ERROR("You have exhausted your daily quota on this model."), "", 173, ADAPTER_LIMIT, 0, NULL, NULL, false},
		{"gemini", GEMINI_ERROR("You exceeded your current quota, please check your plan and billing details."), "", 173, ADAPTER_LIMIT, 0, NULL,
		 NULL, false},
		{"gemini", GEMINI_ERROR("You exceeded your current quota. Please retry in 44s.\\nSuggested retry after 44s."), "", 173, ADAPTER_TRANSIENT,
		 IN(44), NULL, NULL, false},
		{"gemini", GEMINI_ERROR("The model is overloaded."), "", 247, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"gemini", GEMINI_ERROR("Expected property name"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"gemini", GEMINI_BEGIN "{\"type\":\"error\",\"severity\":\"error\",\"message\":\"Model stream ended without a finish reason.\"}\n"
		 "{\"type\":\"result\",\"status\":\"error\"}\n", "", 0, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"gemini", GEMINI_ERROR("{\\\"error\\\":{\\\"code\\\":401,\\\"message\\\":\\\"API key not valid.\\\"}}"), "", 145, ADAPTER_AUTH, 0, NULL, NULL,
		 false},
		{"gemini", "", "Invalid auth method selected.\n", 41, ADAPTER_AUTH, 0, "Invalid auth method selected.", NULL, false},
		{"gemini", "", "", 41, ADAPTER_AUTH, 0, NULL, NULL, false},
		{"gemini", "", "Error in /h/.gemini/settings.json: Expected a name in JSON at position 99\nPlease fix the configuration file(s) and try "
		 "again.\n", 52, ADAPTER_CONFIG, 0, "Error in /h/.gemini/settings.json: Expected a name in JSON at position 99", NULL, false},
		{"gemini", GEMINI_ERROR("models/nope is not found for API version v1beta"), "", 1, ADAPTER_CONFIG, 0, NULL, NULL, false},
		{"gemini", "", "Error resuming session: No previous sessions found for this project.\n", 42, ADAPTER_UNKNOWN_SESSION, 0, NULL, NULL, true},
		{"gemini", "", "Cannot use both\n", 42, ADAPTER_CONFIG, 0, "Cannot use both", NULL, true},
		/* It would sleep for hours. */
		{"gemini", GEMINI_BEGIN, "Attempt 1 failed: You have exhausted your capacity on this model. Your quota will reset after 2h0m0s.. Retrying "
		 "after 8489153ms...\n", 0, ADAPTER_LIMIT, IN(7200), NULL, NULL, false},
		{"gemini", GEMINI_BEGIN, "Attempt 1 failed: You exceeded your current quota. Please retry in 2h.\nSuggested retry after 7200s.. Retrying "
		 "after 7200500ms...\n", 0, ADAPTER_LIMIT, IN(7200), NULL, NULL, false},
		{"gemini", GEMINI_BEGIN, "Attempt 1 failed: You exceeded your current quota.. Retrying after 21747ms...\n", 0, ADAPTER_FAILED, 0, NULL, NULL,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		check(&cases[i]);
}

/* ---- qwen, copilot, opencode, shell ---- */

#define QWEN_SAYS(text) "{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}]}}\n"
#define QWEN_END(turns, tokens, text)                                                                                              \
	"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"num_turns\":" turns ",\"result\":\"" text "\",\"usage\":{\"output_tokens\":" tokens "}}\n"
#define QWEN_PROSE(tokens)                                                                                                          \
	"{\"type\":\"result\",\"subtype\":\"error_during_execution\",\"is_error\":true,\"num_turns\":1,\"usage\":{\"output_tokens\":" tokens            \
	"},\"error\":{\"message\":\"Model produced plain text instead of calling the structured_output tool as required.\"}}\n"
#define QWEN_429(text) "[API Error: 429 " text "]\\nPossible quota limitations in place or slow response times detected. Please wait and try again later."
#define QWEN_LIMITED(text, turns, tokens) QWEN_SAYS(QWEN_429(text)) QWEN_END(turns, tokens, QWEN_429(text))
#define QWEN_NO_KEY(text)                                                                                                          \
	"{\"type\":\"result\",\"subtype\":\"error_during_execution\",\"is_error\":true,\"num_turns\":0,\"usage\":{\"output_tokens\":0}," \
	"\"error\":{\"message\":\"" text "\"}}\n"
#define COPILOT_ERROR(kind, status, text)                                                                                          \
	"{\"type\":\"session.error\",\"data\":{\"errorType\":\"" kind "\",\"message\":\"" text "\",\"statusCode\":" status "}}\n{\"type\":\"result\",\"exitCode\":1}\n"
#define OPENCODE_ERROR(status, retry, text, body)                                                                                  \
	"{\"type\":\"error\",\"error\":{\"name\":\"APIError\",\"data\":{\"message\":\"" text "\",\"statusCode\":" status ",\"isRetryable\":" retry  \
	",\"responseHeaders\":{\"retry-after\":\"90\"},\"responseBody\":\"" body "\"}}}\n"
#define OPENCODE_STEP "{\"type\":\"step_start\",\"sessionID\":\"ses_1\"}\n{\"type\":\"step_finish\",\"part\":{\"reason\":\"unknown\"}}\n"
#define FIVE(text) text text text text text

static void the_others(void **state)
{
	static const struct given cases[] = {
		{"qwen", QWEN_SAYS("done") QWEN_END("1", "5", "done"), "", 0, ADAPTER_OK, 0, NULL, "done", false},
		{"qwen", QWEN_SAYS("[API Error: 401 Incorrect API key]") QWEN_END("1", "0", "[API Error: 401 Incorrect API key]"), "", 0, ADAPTER_AUTH, 0,
		 NULL, NULL, false},
		{"qwen", QWEN_SAYS("[API Error: 401 Incorrect API key]") QWEN_PROSE("0"), "", 1, ADAPTER_AUTH, 0, NULL, NULL, false},
		{"qwen", QWEN_SAYS("[API Error: 404 The model does not exist]") QWEN_END("1", "0", "[API Error: 404 The model does not exist]"), "", 0,
		 ADAPTER_CONFIG, 0, NULL, NULL, false},
		{"qwen", QWEN_SAYS("I will[API Error: Model stream ended.]") QWEN_END("2", "9", "I will[API Error: Model stream ended.]"), "", 0,
		 ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		/* Limits have a second line. */
		{"qwen", QWEN_LIMITED("The usage limit has been reached", "1", "0"), "", 0, ADAPTER_LIMIT, 0, NULL, NULL, false},
		{"qwen", QWEN_LIMITED("You exceeded your current quota, please check your plan.", "1", "0"), "", 0, ADAPTER_LIMIT, 0, NULL, NULL, false},
		{"qwen", QWEN_LIMITED("Rate limit reached.", "1", "0"), "", 0, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"qwen", QWEN_LIMITED("The usage limit has been reached", "2", "50"), "", 0, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"qwen", QWEN_NO_KEY("No auth type is selected. Please configure an auth type"), "", 1, ADAPTER_AUTH, 0,
		 "No auth type is selected. Please configure an auth type", NULL, false},
		{"qwen", QWEN_NO_KEY("Missing API key for OpenAI-compatible auth."), "", 1, ADAPTER_AUTH, 0, NULL, NULL, false},
		{"qwen", QWEN_SAYS("I am done, I think.") QWEN_PROSE("9"), "", 1, ADAPTER_OK, 0, NULL, "I am done, I think.", false},
		{"qwen", "", "No saved session found with ID c-1.\n", 1, ADAPTER_UNKNOWN_SESSION, 0, NULL, NULL, true},
		{"copilot", "{\"type\":\"assistant.message\",\"data\":{\"content\":\"done\"}}\n{\"type\":\"result\",\"exitCode\":0}\n", "", 0, ADAPTER_OK, 0,
		 NULL, "done", false},
		{"copilot", COPILOT_ERROR("authentication", "401", "Authentication failed"), "", 1, ADAPTER_AUTH, 0, "Authentication failed", NULL, false},
		{"copilot", COPILOT_ERROR("rate_limit", "429", "Last error: 429 The usage limit has been reached"), "", 1, ADAPTER_LIMIT, 0, NULL, NULL,
		 false},
		{"copilot", "{\"type\":\"session.error\",\"data\":{\"errorType\":\"query\",\"message\":\"Could not connect to local model provider at x.\"}}\n",
		 "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"opencode", "", "\x1b[91m\x1b[1mError: \x1b[0mUnexpected error\n\nFailed query: \n CREATE TABLE `workspace` (\n", 1, ADAPTER_TRANSIENT, 0,
		 NULL, NULL, false},
		{"copilot", COPILOT_ERROR("rate_limit", "429", "Last error: 429 slow down"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"copilot", COPILOT_ERROR("query", "503", "Last error: 503"), "", 1, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"copilot", "{\"type\":\"model.call_failure\",\"data\":{\"errorType\":\"usage_limit_reached\",\"errorMessage\":\"{\\\"resets_at\\\":1795222629}\"}}\n",
		 "", 0, ADAPTER_LIMIT, IN(7200), NULL, NULL, false},
		{"copilot", "", "Error: No session, task, or name matched 'c-1'.\n", 1, ADAPTER_UNKNOWN_SESSION, 0, NULL, NULL, true},
		{"opencode", "{\"type\":\"text\",\"part\":{\"text\":\"done\"}}\n{\"type\":\"step_finish\",\"part\":{\"reason\":\"stop\"}}\n", "", 0, ADAPTER_OK, 0,
		 NULL, "done", false},
		{"opencode", "{\"type\":\"step_finish\",\"part\":{\"reason\":\"tool-calls\"}}\n", "", 0, ADAPTER_FAILED, 0, NULL, NULL, false},
		{"opencode", OPENCODE_ERROR("401", "false", "Incorrect API key", "{}"), "", 1, ADAPTER_AUTH, 0, NULL, NULL, false},
		{"opencode", OPENCODE_ERROR("429", "true", "The usage limit has been reached", "{\\\"resets_at\\\": 1795222629}"), "", 1, ADAPTER_LIMIT,
		 IN(7200), NULL, NULL, false},
		{"opencode", OPENCODE_ERROR("429", "true", "slow down", "{}"), "", 1, ADAPTER_TRANSIENT, IN(90), "slow down", NULL, false},
		{"opencode", OPENCODE_ERROR("404", "false", "no such model", "{}"), "", 1, ADAPTER_CONFIG, 0, NULL, NULL, false},
		{"opencode", FIVE(FIVE(OPENCODE_STEP)), "", 0, ADAPTER_TRANSIENT, 0, NULL, NULL, false},
		{"opencode", "", "\x1b[91m\x1b[1mError: \x1b[0mSession not found\n", 1, ADAPTER_UNKNOWN_SESSION, 0, NULL, NULL, true},
		{"shell", "talk\n{\"status\":\"completed\"}\n", "", 0, ADAPTER_OK, 0, NULL, "{\"status\":\"completed\"}", false},
		{"shell", "Done:\n```json\n{\n}\n```\n", "", 0, ADAPTER_OK, 0, NULL, "Done:\n```json\n{\n}\n```\n", false},
		{"shell", "", "later\n", 75, ADAPTER_LIMIT, 0, NULL, NULL, false},
		{"shell", "", "", 1, ADAPTER_FAILED, 0, NULL, NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		check(&cases[i]);
}

/* ---- a model that writes about limits ---- */

/* As JSON has it in a text. Also what a line begins with, behind a line end in a text. */
#define WORDS                                                                                                                       \
	"You've hit your usage limit. Try again at 11:38 PM. Quota exceeded. usage limit reached|1795222629 status 401 Unauthorized "         \
	"Invalid API key [API Error: 401 x] 429 insufficient_quota Your quota will reset after 2h0m0s. Credit balance is too low\\n"            \
	"Attempt 1 failed: You have exhausted your capacity. Retrying after 8489153ms...\\n[API Error: You have exhausted your daily quota]. ok"
/* As a program may print a failed tool's words: whole lines of them. */
#define WORDS_ON_STDERR                                                                                                             \
	"Error executing tool run_shell_command: You've hit your usage limit.\nAttempt 1 failed: You have exhausted your capacity on this "     \
	"model. Your quota will reset after 2h0m0s.. Retrying after 8489153ms...\nInvalid auth method selected.\nUnauthorized 401\n"             \
	"Error when talking to Gemini API TerminalQuotaError: You have exhausted your daily quota on this model.\n"                               \
	"No conversation found with session ID: c-1\nError resuming session: x\nError: Session not found\nError: No authentication information found\n"

static void its_own_words_are_no_limit(void **state)
{
	/* What it says, what its tools answer, and how each would end well, in turns. */
	static const struct {
		const char *agent, *begin, *good;
	} cases[] = {
		{"codex", CODEX_BEGIN "{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"" WORDS "\"}}\n"
		 "{\"type\":\"item.completed\",\"item\":{\"type\":\"command_execution\",\"command\":\"" WORDS "\",\"aggregated_output\":\"" WORDS "\"}}\n"
		 "{\"type\":\"item.completed\",\"item\":{\"type\":\"error\",\"message\":\"" WORDS "\"}}\n", "{\"type\":\"turn.completed\",\"usage\":{}}\n"},
		{"claude", CLAUDE_BEGIN "{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"" WORDS "\"}]}}\n"
		 "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"content\":\"" WORDS "\",\"is_error\":true}]}}\n",
		 CLAUDE_END("false", "null", WORDS)},
		{"gemini", GEMINI_BEGIN GEMINI_SAYS(WORDS) "{\"type\":\"tool_result\",\"status\":\"error\",\"output\":\"" WORDS "\",\"error\":{\"message\":\"" WORDS
		 "\"}}\n", GEMINI_SAYS(WORDS) GEMINI_OK},
		{"qwen", CLAUDE_BEGIN QWEN_SAYS(WORDS) "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"content\":\"" WORDS "\"}]}}\n",
		 QWEN_END("2", "50", WORDS)},
		{"copilot", "{\"type\":\"assistant.message\",\"data\":{\"content\":\"" WORDS "\"}}\n{\"type\":\"tool.execution_complete\",\"data\":{\"result\":{"
		 "\"content\":\"" WORDS "\"}}}\n", "{\"type\":\"result\",\"exitCode\":0}\n"},
		{"opencode", "{\"type\":\"step_start\",\"sessionID\":\"ses_1\"}\n{\"type\":\"text\",\"part\":{\"text\":\"" WORDS "\"}}\n{\"type\":\"tool_use\",\"part\":{"
		 "\"state\":{\"output\":\"" WORDS "\"}}}\n", "{\"type\":\"step_finish\",\"part\":{\"reason\":\"stop\"}}\n"},
		{"shell", "{\"type\":\"result\",\"is_error\":true,\"api_error_status\":429,\"result\":\"" WORDS "\"}\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < MEM_COUNT(cases); i++)
		for (int resume = 0; resume < 2; resume++) {
			AUTO_FREE char *good = mem_printf("%s%s", cases[i].begin, cases[i].good);
			check(&(struct given){cases[i].agent, good, WORDS_ON_STDERR, 0, ADAPTER_OK, 0, NULL, NULL, resume});
			check(&(struct given){cases[i].agent, cases[i].begin, WORDS_ON_STDERR, 1, ADAPTER_FAILED, 0, NULL, NULL, resume});
			check(&(struct given){cases[i].agent, cases[i].begin, WORDS_ON_STDERR, 2, ADAPTER_FAILED, 0, NULL, NULL, resume});
		}
}

/* ---- command lines ---- */

static void expect_argv(const char *agent, bool full, bool resume, const char *words)
{
	AUTO_FREE char *option = mem_printf("agents={%s: {autonomy: %s}}", agent, full ? "full" : "limited");
	AUTO_STRV struct strv overrides = {0}, argv = {0};
	struct plan_faults faults = {0};
	AUTO_STR struct str joined = {0};
	struct config c;
	struct adapter *a;
	struct err e = {0};

	strv_add(&overrides, option);
	assert_int_equal(config_load(&c, scratch.repo, &overrides, &faults), 0);
	assert_ok(adapter_new(&a, config_agents_get(&c, agent), &e), &e);
	struct adapter_call call = {.cwd = "/w", .model = "m", .session = "c-1", .schema = "{S}", .schema_file = "/s", .last_file = "/l",
	                            .prompt_file = "/p", .command = "make it", .env = env, .resume = resume};
	adapter_argv(a, &call, &argv);
	for (size_t i = 0; i < argv.n; i++)
		str_addf(&joined, "%s%s", i ? " " : "", *argv.v[i] ? argv.v[i] : "''");
	assert_string_equal(joined.p, words);
	adapter_free(a);
	config_fini(&c);
}

static void command_lines(void **state)
{
	(void)state;
	expect_argv("codex", true, false, "codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox -m m -C /w "
	            "--output-schema /s -o /l -c analytics.enabled=false -c check_for_update_on_startup=false -");
	expect_argv("codex", true, true, "codex exec resume c-1 --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox -m m "
	            "--output-schema /s -o /l -c analytics.enabled=false -c check_for_update_on_startup=false -");
	expect_argv("codex", false, true, "codex exec resume c-1 --json --skip-git-repo-check -c sandbox_mode=workspace-write -m m "
	            "--output-schema /s -o /l -c analytics.enabled=false -c check_for_update_on_startup=false -");
	expect_argv("claude", true, false, "claude -p --output-format stream-json --verbose --dangerously-skip-permissions --model m --json-schema {S} "
	            "--session-id c-1");
	expect_argv("claude", false, true, "claude -p --output-format stream-json --verbose --permission-mode dontAsk --allowedTools "
	            "Bash,Edit,Write,Read,Glob,Grep --model m --json-schema {S} --resume c-1");
	expect_argv("gemini", true, false, "gemini -o stream-json --approval-mode yolo --skip-trust -m m --session-id c-1 -p ''");
	expect_argv("gemini", false, true, "gemini -o stream-json --approval-mode auto_edit --skip-trust -m m --resume c-1 -p ''");
	expect_argv("qwen", true, true, "qwen -o stream-json --approval-mode yolo -m m --json-schema {S} --resume c-1");
	expect_argv("copilot", true, true, "copilot --output-format json --allow-all --no-ask-user --no-auto-update --disable-client-telemetry "
	            "--no-color --model m -C /w --resume=c-1");
	expect_argv("opencode", true, true, "opencode run --format json --auto -m m --dir /w -s c-1");
	expect_argv("shell", false, false, "/bin/sh -c make it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codex),
		cmocka_unit_test(claude),
		cmocka_unit_test(gemini),
		cmocka_unit_test(the_others),
		cmocka_unit_test(its_own_words_are_no_limit),
		cmocka_unit_test(command_lines),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
