/* Keys for tests/lint/fields. */
static const struct bind_key user_keys[] = {
	BIND(UINT, "uid", struct spec_user, uid, BIND_ID),
	BIND(UINT, "forgotten", struct spec_user, forgotten,
	     BIND_ID),
	BIND(UINT, "silent", struct spec_user, silent, BIND_ID),
};
