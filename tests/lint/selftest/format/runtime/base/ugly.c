/* Not formatted. */
int f( void ) {
  return 0 ;
}
