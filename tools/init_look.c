/* init_look: one function per kind of project. A proposal for a human to read: it says what is usual,
 * and prefers what the project itself has configured. */
#include "init_look.h"

#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"
#include "supervisor/agents.h"
#include "supervisor/config_agents.h"
#include "supervisor/yaml.h"

enum { MAX_FILE = 1 << 20 };

static const char *const kind_names[] = {"lint", "types", "build", "test", "check"};

struct looking {
	struct init_look *out;
	const char *top;
	const struct config *config;
};

/* ---- what the checks below share ---- */

static bool has(const struct looking *l, const char *name)
{
	AUTO_FREE char *path = mem_printf("%s/%s", l->top, name);
	return fs_exists(path);
}

static bool read_text(const struct looking *l, const char *name, struct str *out)
{
	AUTO_FREE char *path = mem_printf("%s/%s", l->top, name);
	struct err absent = {0};
	return fs_read(path, MAX_FILE, out, &absent) == 0 && out->len && !memchr(out->p, 0, out->len);
}

static bool mentions(const struct looking *l, const char *name, const char *words)
{
	AUTO_STR struct str text = {0};
	return read_text(l, name, &text) && strcasestr(text.p, words);
}

/* A second gate of one kind carries its tool's name too. */
static void add(struct looking *l, enum init_look_kind kind, const char *tool, const char *from,
                const char *run)
{
	struct init_look *o = l->out;
	bool taken = false;

	for (size_t i = 0; i < o->n; i++)
		taken |= str_eq(o->gates[i].name, kind_names[kind]);
	o->gates = mem_grow(o->gates, o->n + 1, sizeof *o->gates);
	o->gates[o->n++] = (struct init_look_gate){
		kind, mem_printf("%s%s%s", kind_names[kind], taken ? "-" : "", taken ? tool : ""),
		mem_strdup(run)};
	if (!strv_has(&o->from, from))
		strv_add(&o->from, from);
}

static void add_setup(struct looking *l, const char *command)
{
	char *both = l->out->setup ? mem_printf("%s && %s", l->out->setup, command) : mem_strdup(command);
	free(l->out->setup);
	l->out->setup = both;
}

/* ---- Node: scripts of package.json ---- */

static void look_node(struct looking *l)
{
	static const struct {
		const char *script;
		enum init_look_kind kind;
	} scripts[] = {{"lint", INIT_LINT},        {"typecheck", INIT_TYPES}, {"type-check", INIT_TYPES},
	               {"check-types", INIT_TYPES}, {"build", INIT_BUILD},     {"test", INIT_TEST}};
	static const struct {
		const char *lock, *program, *setup;
	} managers[] = {{"pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"},
	                {"yarn.lock", "yarn", "yarn install --frozen-lockfile"},
	                {"bun.lockb", "bun", "bun install --frozen-lockfile"},
	                {"bun.lock", "bun", "bun install --frozen-lockfile"},
	                {"package-lock.json", "npm", "npm ci"},
	                {"npm-shrinkwrap.json", "npm", "npm ci"}};
	AUTO_STR struct str text = {0};
	struct plan_faults ignored = {0};
	const char *program = "npm", *setup = NULL;

	if (!read_text(l, "package.json", &text))
		return;
	for (size_t i = MEM_COUNT(managers); i-- > 0;)
		if (has(l, managers[i].lock)) {
			program = managers[i].program;
			setup = managers[i].setup;
		}
	struct yaml *doc = yaml_parse("package.json", text.p, text.len, &ignored);
	plan_faults_fini(&ignored);
	const struct yaml_node *root = doc ? yaml_root(doc) : NULL;
	const struct yaml_node *map = root && root->kind == YAML_MAP ? yaml_get(root, "scripts") : NULL;
	for (size_t i = 0; map && map->kind == YAML_MAP && i < MEM_COUNT(scripts); i++) {
		const struct yaml_node *v = yaml_get(map, scripts[i].script);
		/* What npm init writes is a placeholder that fails. */
		if (!v || v->kind != YAML_SCALAR || strstr(v->text, "no test specified"))
			continue;
		/* CI: test runners end, and do not watch files. */
		AUTO_FREE char *run = mem_printf("%s%s run %s", scripts[i].kind == INIT_TEST ? "CI=1 " : "",
		                                 program, scripts[i].script);
		add(l, scripts[i].kind, "node", "package.json", run);
	}
	if (setup)
		add_setup(l, setup);
	yaml_free(doc);
}

/* ---- Python: pytest, ruff and mypy, where they are configured ---- */

static void look_python(struct looking *l)
{
	static const struct {
		const char *lock, *prefix, *setup;
	} managers[] = {{"uv.lock", "uv run ", "uv sync --frozen"},
	                {"poetry.lock", "poetry run ", "poetry install --no-interaction"},
	                {"pdm.lock", "pdm run ", "pdm sync"}};
	static const struct {
		const char *file, *words; /* "" = that it is there is enough */
		enum init_look_kind kind;
		const char *tool, *command;
	} signs[] = {
		{"pyproject.toml", "ruff", INIT_LINT, "ruff", "ruff check ."},
		{"ruff.toml", "", INIT_LINT, "ruff", "ruff check ."},
		{".ruff.toml", "", INIT_LINT, "ruff", "ruff check ."},
		{".flake8", "", INIT_LINT, "flake8", "flake8"},
		{"pyproject.toml", "mypy", INIT_TYPES, "mypy", "mypy ."},
		{"mypy.ini", "", INIT_TYPES, "mypy", "mypy ."},
		{".mypy.ini", "", INIT_TYPES, "mypy", "mypy ."},
		{"setup.cfg", "[mypy", INIT_TYPES, "mypy", "mypy ."},
		{"pyproject.toml", "pytest", INIT_TEST, "pytest", "python3 -m pytest -q"},
		{"pytest.ini", "", INIT_TEST, "pytest", "python3 -m pytest -q"},
		{"setup.cfg", "pytest", INIT_TEST, "pytest", "python3 -m pytest -q"},
		{"tox.ini", "pytest", INIT_TEST, "pytest", "python3 -m pytest -q"},
		{"requirements-dev.txt", "pytest", INIT_TEST, "pytest", "python3 -m pytest -q"},
		{"requirements.txt", "pytest", INIT_TEST, "pytest", "python3 -m pytest -q"},
	};
	AUTO_STRV struct strv seen = {0};
	const char *prefix = "";

	for (size_t i = 0; i < MEM_COUNT(managers); i++)
		if (has(l, managers[i].lock)) {
			prefix = managers[i].prefix;
			add_setup(l, managers[i].setup);
			break;
		}
	for (size_t i = 0; i < MEM_COUNT(signs); i++) {
		if (strv_has(&seen, signs[i].tool) || !has(l, signs[i].file) ||
		    (*signs[i].words && !mentions(l, signs[i].file, signs[i].words)))
			continue;
		AUTO_FREE char *run = mem_printf("%s%s", prefix, signs[i].command);
		add(l, signs[i].kind, signs[i].tool, signs[i].file, run);
		strv_add(&seen, signs[i].tool);
	}
}

/* ---- Rust, Go, CMake ---- */

static void look_rust(struct looking *l)
{
	if (!has(l, "Cargo.toml"))
		return;
	if (has(l, "rustfmt.toml") || has(l, ".rustfmt.toml"))
		add(l, INIT_LINT, "rustfmt", "Cargo.toml", "cargo fmt --all --check");
	if (has(l, "clippy.toml") || has(l, ".clippy.toml") || mentions(l, "Cargo.toml", "lints.clippy"))
		add(l, INIT_LINT, "clippy", "Cargo.toml", "cargo clippy --workspace --all-targets");
	add(l, INIT_BUILD, "cargo", "Cargo.toml", "cargo build --workspace --all-targets");
	add(l, INIT_TEST, "cargo", "Cargo.toml", "cargo test --workspace");
}

static void look_go(struct looking *l)
{
	if (!has(l, "go.mod"))
		return;
	if (has(l, ".golangci.yml") || has(l, ".golangci.yaml") || has(l, ".golangci.toml"))
		add(l, INIT_LINT, "golangci", "go.mod", "golangci-lint run");
	add(l, INIT_LINT, "vet", "go.mod", "go vet ./...");
	add(l, INIT_TEST, "go", "go.mod", "go test ./...");
}

static void look_cmake(struct looking *l)
{
	if (!has(l, "CMakeLists.txt"))
		return;
	add(l, INIT_BUILD, "cmake", "CMakeLists.txt", "cmake -S . -B build && cmake --build build");
	if (mentions(l, "CMakeLists.txt", "enable_testing") || mentions(l, "CMakeLists.txt", "(CTest)"))
		add(l, INIT_TEST, "cmake", "CMakeLists.txt", "ctest --test-dir build --output-on-failure");
}

/* ---- Makefile: its targets ---- */

/* Is it among the names before the ":" of a rule? An assignment has ":=". */
static bool has_target(const char *text, const char *target)
{
	size_t want = strlen(target);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), names = strcspn(line, ":=#\n\t");
		bool rule = line[names] == ':' && line[names + 1] != '=' && line[names + 1] != ':';
		for (const char *p = line; rule && p < line + names;) {
			size_t n = strcspn(p, " :");
			if (n == want && strncmp(p, target, n) == 0)
				return true;
			p += n + 1;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

static void look_make(struct looking *l)
{
	static const char *const files[] = {"GNUmakefile", "makefile", "Makefile"};
	static const enum init_look_kind kinds[] = {INIT_LINT, INIT_TEST, INIT_CHECK};
	AUTO_STR struct str text = {0};
	size_t file = 0;

	while (file < MEM_COUNT(files) && !read_text(l, files[file], &text))
		file++;
	for (size_t i = 0; file < MEM_COUNT(files) && i < MEM_COUNT(kinds); i++) {
		AUTO_FREE char *run = mem_printf("make %s", kind_names[kinds[i]]);
		bool same = false; /* it mostly calls what was found already */
		for (size_t k = 0; k < l->out->n; k++)
			same |= l->out->gates[k].kind == kinds[i];
		if (!same && has_target(text.p, kind_names[kinds[i]]))
			add(l, kinds[i], "make", files[file], run);
	}
}

/* ---- agents ---- */

/* Those that the user's own configuration has, too. */
static void look_agents(struct looking *l)
{
	AUTO_STRV struct strv names = {0};

	config_agents_get_names(l->config, &names);
	for (size_t i = 0; i < names.n; i++) {
		const struct msg_agent *def = config_agents_get(l->config, names.v[i]);
		AUTO_FREE char *missing = agents_missing(def);
		if (!missing && !agents_wants_command(def))
			strv_add(&l->out->agents, names.v[i]);
	}
}

static void sort(struct init_look *o)
{
	struct init_look_gate *sorted = mem_array(o->n, sizeof *sorted);
	size_t at = 0;

	for (int kind = 0; kind < INIT_KINDS; kind++)
		for (size_t i = 0; i < o->n; i++)
			if (o->gates[i].kind == (enum init_look_kind)kind)
				sorted[at++] = o->gates[i];
	free(o->gates);
	o->gates = sorted;
}

void init_look(struct init_look *out, const char *top, const struct config *config)
{
	struct looking l = {out, top, config};

	*out = (struct init_look){0};
	look_node(&l);
	look_python(&l);
	look_rust(&l);
	look_go(&l);
	look_cmake(&l);
	look_make(&l);
	look_agents(&l);
	sort(out);
}

void init_look_fini(struct init_look *look)
{
	for (size_t i = 0; i < look->n; i++) {
		free(look->gates[i].name);
		free(look->gates[i].run);
	}
	free(look->gates);
	strv_fini(&look->from);
	strv_fini(&look->agents);
	free(look->setup);
	*look = (struct init_look){0};
}
