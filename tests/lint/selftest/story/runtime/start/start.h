/* The story: first told.c, and then not_told.c. */
