/* Blanks before a tab. */
  	int a;
