/* trees: see trees.h. */
#include "trees.h"

static struct test_rng rng;

static size_t below(size_t n)
{
	return (size_t)test_rng_below(&rng, n);
}

static bool inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static void drop_at(struct tree *t, size_t i)
{
	t->v[i] = t->v[--t->n];
}

/* Whatever stands in its way goes: a folder of that name, a file where it needs a folder. */
static void put(struct tree *t, const char *path, unsigned mode, unsigned content)
{
	struct file f = {.mode = mode, .content = content};

	if (strlen(path) >= TREES_PATH)
		return;
	memcpy(f.path, path, strlen(path) + 1);
	for (size_t i = t->n; i-- > 0;)
		if (str_eq(t->v[i].path, f.path) || inside(t->v[i].path, f.path) || inside(f.path, t->v[i].path))
			drop_at(t, i);
	if (t->n < TREES_FILES)
		t->v[t->n++] = f;
}

static void random_name(struct str *out)
{
	static const char *const names[] = {"a", "b", "c", "d", "x", "x.c", "x-1", "x0", "X", "A"};
	str_add(out, names[below(MEM_COUNT(names))]);
}

static void random_path(struct str *out)
{
	for (size_t depth = below(3); depth > 0; depth--) {
		random_name(out);
		str_addc(out, '/');
	}
	random_name(out);
}

static unsigned random_content(void)
{
	return (unsigned)below(TREES_FAMILIES * TREES_VARIANTS);
}

static unsigned edited(unsigned content)
{
	return content - content % TREES_VARIANTS + (unsigned)below(TREES_VARIANTS);
}

static unsigned random_mode(void)
{
	static const unsigned modes[] = {0100644, 0100644, 0100644, 0100644, 0100755, 0120000, 0160000};
	return modes[below(MEM_COUNT(modes))];
}

/* A folder of that file, at any height; NULL when it lies in the root. The caller owns it. */
static char *folder_of(const char *path)
{
	size_t slashes[32], n = 0;
	for (size_t i = 0; path[i]; i++)
		if (path[i] == '/' && n < MEM_COUNT(slashes))
			slashes[n++] = i;
	return n ? mem_strndup(path, slashes[below(n)]) : NULL;
}

static void move_folder(struct tree *t, const char *folder, const char *to)
{
	struct tree moved = {.n = 0};
	for (size_t i = t->n; i-- > 0;)
		if (inside(t->v[i].path, folder)) {
			moved.v[moved.n++] = t->v[i];
			drop_at(t, i);
		}
	for (size_t i = 0; to && i < moved.n; i++) {
		const char *rest = moved.v[i].path + strlen(folder) + 1;
		AUTO_FREE char *path = *to ? mem_printf("%s/%s", to, rest) : mem_strdup(rest);
		put(t, path, moved.v[i].mode, moved.v[i].content);
	}
}

static void change_file(struct tree *t, size_t i)
{
	struct file f = t->v[i];
	AUTO_STR struct str path = {0};

	random_path(&path);
	switch (below(8)) {
	case 0:
	case 1:
		t->v[i].content = edited(f.content);
		break;
	case 2:
		drop_at(t, i);
		break;
	case 3:
		drop_at(t, i);
		put(t, path.p, f.mode, below(2) ? f.content : edited(f.content));
		break;
	case 4:
		put(t, f.path, random_mode(), f.content);
		break;
	case 5: { /* a folder in its place */
		AUTO_FREE char *below_it = mem_printf("%s/%s", f.path, path.p);
		put(t, below_it, f.mode, below(2) ? f.content : random_content());
		break;
	}
	default:
		put(t, path.p, random_mode(), random_content());
	}
}

static void change_folder(struct tree *t, const char *folder)
{
	AUTO_STR struct str path = {0};

	random_path(&path);
	AUTO_FREE char *added = mem_printf("%s/%s", folder, path.p);
	switch (below(6)) {
	case 0:
	case 1:
		move_folder(t, folder, below(8) ? path.p : "");
		break;
	case 2:
		move_folder(t, folder, NULL);
		break;
	case 3:
		put(t, folder, random_mode(), random_content());
		break;
	default:
		put(t, added, random_mode(), random_content());
	}
}

static void change(struct tree *t)
{
	size_t i = below(t->n ? t->n : 1);

	if (!t->n) {
		put(t, "a", 0100644, random_content());
		return;
	}
	if (t->v[i].mode == 040000) { /* an odd tree: another one, or none */
		if (below(4))
			t->v[i].content = (unsigned)below(TREES_ODD);
		else
			drop_at(t, i);
		return;
	}
	AUTO_FREE char *folder = below(3) ? NULL : folder_of(t->v[i].path);
	if (folder)
		change_folder(t, folder);
	else
		change_file(t, i);
}

void trees_random_triple(struct test_rng *from, struct tree *base, struct tree *ours, struct tree *theirs)
{
	rng = *from;
	base->n = 0;
	for (size_t n = 4 + below(20); n > 0; n--) {
		AUTO_STR struct str path = {0};
		random_path(&path);
		put(base, path.p, random_mode(), random_content());
	}
	if (!below(6))
		put(base, below(2) ? "odd" : "a/odd", 040000, (unsigned)below(TREES_ODD));
	*ours = *theirs = *base;
	for (size_t n = 1 + below(2); n > 0; n--)
		change(ours);
	if (!below(5)) { /* both do the same */
		struct test_rng before = rng;
		change(ours);
		rng = before;
		change(theirs);
	}
	for (size_t n = 1 + below(2); n > 0; n--)
		change(theirs);
	*from = rng;
}
