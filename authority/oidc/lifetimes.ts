const DAY_SECONDS = 24 * 60 * 60;

/**
 * RFC 9068 access tokens live this long at most; their consent can end earlier. RFC 9700 section 2.2.1: short, because what
 * was stolen works until then wherever revocations are not heard of.
 */
export const ACCESS_TOKEN_SECONDS = 300;

/** RFC 6749 section 4.1.2 lets ten minutes be, FAPI 2.0 Security Profile section 5.3.2.1 sixty seconds. */
export const CODE_SECONDS = 60;

/** RFC 9700 section 4.14.2: a refresh token that is not used for so long ends. */
export const REFRESH_IDLE_SECONDS = 30 * DAY_SECONDS;

/** However often it is used (RFC 9700 section 4.14.2); its consent can end earlier. */
export const REFRESH_ABSOLUTE_SECONDS = 180 * DAY_SECONDS;

/**
 * RFC 7523 section 3, points 4 and 7: an assertion that is good for longer is refused, so that what was seen of `jti`s does
 * not have to be kept for longer.
 */
export const CLIENT_ASSERTION_SECONDS = 300;

/** RFC 8693 section 4.1: how many services can act behind each other, unless a registration says otherwise. */
export const EXCHANGE_DEPTH = 2;

/** More than this a registration cannot ask for: every actor makes each token, and each look at it, larger. */
export const MAX_EXCHANGE_DEPTH = 8;

/** How long a person can take to sign in and decide. */
export const INTERACTION_SECONDS = 15 * 60;

/** How long a person stays signed in. */
export const SESSION_SECONDS = DAY_SECONDS / 2;
