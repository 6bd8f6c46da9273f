const DAY_SECONDS = 24 * 60 * 60;

/**
 * The longest lifetime of access tokens; their consent can end earlier. Short (RFC 9700 section 2.2.1), because a stolen token
 * works until then wherever revocations are unknown.
 */
export const ACCESS_TOKEN_SECONDS = 300;

/** RFC 6749 section 4.1.2 allows ten minutes, FAPI 2.0 Security Profile section 5.3.2.1 sixty seconds. */
export const CODE_SECONDS = 60;

/** RFC 9700 section 4.14.2: a refresh token ends if unused for this time. */
export const REFRESH_IDLE_SECONDS = 30 * DAY_SECONDS;

/** The longest lifetime of a chain, however often it is used (RFC 9700 section 4.14.2). Its consent can end earlier. */
export const REFRESH_ABSOLUTE_SECONDS = 180 * DAY_SECONDS;

/**
 * RFC 7523 section 3, points 4 and 7: longer-lived assertions are refused, so that used `jti`s need not be remembered for longer.
 */
export const CLIENT_ASSERTION_SECONDS = 300;

/** RFC 8693 section 4.1: how many services can act in a chain, unless a registration says otherwise. */
export const EXCHANGE_DEPTH = 2;

/** How long a person may take to sign in and decide. */
export const INTERACTION_SECONDS = 15 * 60;

/** How long a person stays signed in. */
export const SESSION_SECONDS = DAY_SECONDS / 2;
