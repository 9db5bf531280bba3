/* bosk: the program. Everything it does is a command in cmd_*.c. */
int main(void)
{
	return 0;
}
