/**
 * The code of a failure, such as `ECONNREFUSED`. Unlike a message, it says nothing of values.
 *
 * @param otherwise for an error without one; some libraries have the member, and nothing in it
 */
export function systemCode(error: unknown, otherwise: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code !== '' ? code : otherwise;
}

const MAX_CAUSES = 5;
/** What Redis says begins with a code, such as `WRONGPASS`. */
const REDIS_CODE = /^[A-Z]{2,20}(?= |$)/;
/** The driver's words for a reply to its first question. */
const REDIS_NOT_READY = /^Ready check failed: (.*)/;
const REDIS_NO_DATABASE = /^ERR (?:DB index|invalid DB index|select is not allowed)/i;

/**
 * The code of why a store failed, which says nothing of addresses, passwords or values: of the system (`ECONNREFUSED`), PostgreSQL
 * (`28P01`) or Redis (`WRONGPASS`, and `NO_DATABASE`). The first cause behind the error counts.
 */
export function storeReason(error: unknown): string {
  let reason = 'UNREACHABLE';
  let at = error;
  for (let depth = 0; at instanceof Error && depth < MAX_CAUSES; depth += 1) {
    const code = systemCode(at, '') || redisCode(at);
    if (/^[A-Z0-9_]{1,40}$/.test(code)) reason = code;
    at = at.cause;
  }
  return reason;
}

/** Only of the server's own replies: any other text may begin with anything. */
function redisCode({ name, message }: Error): string {
  const reply = name === 'ReplyError' ? message : REDIS_NOT_READY.exec(message)?.[1];
  if (reply === undefined) return '';
  return REDIS_NO_DATABASE.test(reply) ? 'NO_DATABASE' : (REDIS_CODE.exec(reply)?.[0] ?? '');
}
