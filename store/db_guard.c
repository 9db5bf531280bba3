/* db_guard: signals of garbled pages. Only async-signal-safe calls in the handler. */
#include "db_guard.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "dbfile.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT};
static struct sigaction before[MEM_COUNT(signals)];
static char message[4096 + 256];
static volatile sig_atomic_t inside;
static bool installed;

static void caught(int signal)
{
	if (inside) {
		ssize_t ignored = write(STDERR_FILENO, message, strlen(message));
		(void)ignored;
		_exit(4);
	}
	/* Not the store's doing: it happens again, to whoever had the signal before. */
	for (size_t i = 0; i < MEM_COUNT(signals); i++)
		if (signals[i] == signal)
			sigaction(signal, &before[i], NULL);
}

void db_guard_install(const char *path)
{
	struct sigaction action = {.sa_handler = caught, .sa_flags = SA_NODEFER};

	struct err e;

	dbfile_damaged(path, &e, DBFILE_GARBLED);
	snprintf(message, sizeof message, "bosk: error: %s\n", e.text);
	if (installed)
		return;
	installed = true;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < MEM_COUNT(signals); i++)
		sigaction(signals[i], &action, &before[i]);
}

void db_guard_enter(void)
{
	inside++;
}

void db_guard_leave(void)
{
	inside--;
}
