import { createHash } from 'node:crypto';
import type { PolicyWitness } from '@behalf/audit-verify';

const TIMEOUT_MS = 5_000;
/** Cosignature lines, the size of a log, or a checkpoint. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** The answer of a witness over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** C2SP tlog-witness, "add-checkpoint". @returns undefined if it does not answer */
export function postCheckpoint(witness: PolicyWitness, body: string): Promise<HttpAnswer | undefined> {
  return ask(witness, 'add-checkpoint', { method: 'POST', body });
}

/** C2SP tlog-witness, "Monitor Retrieval Mechanism". @returns undefined if the witness shows none */
export async function getCheckpoint(witness: PolicyWitness, origin: string): Promise<string | undefined> {
  const hash = createHash('sha256').update(origin).digest('hex');
  const answer = await ask(witness, `${hash}/checkpoint`, {});
  return answer?.status === 200 ? answer.body : undefined;
}

async function ask(
  { url = '' }: PolicyWitness,
  path: string,
  request: { readonly method?: string; readonly body?: string },
): Promise<HttpAnswer | undefined> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/${path}`, {
      ...request,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, body: await readBounded(response) };
  } catch {
    return undefined;
  }
}

/** @throws {RangeError} if it is too long */
async function readBounded(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new RangeError('the answer is too long');
  }
  return text;
}
