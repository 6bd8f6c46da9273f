import type { LoadRequest } from '../harness/load.js';

/** Errors would be fast: check that the answer has data. */
export async function assertAnswered(
  url: string,
  [first]: readonly LoadRequest[],
  expectDenials: boolean,
): Promise<void> {
  if (first === undefined) throw new Error('no requests');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...first.headers },
    body: first.body,
  });
  const answer = (await response.json()) as { data?: unknown; errors?: { extensions?: { code?: string } }[] };
  const denials = (answer.errors ?? []).filter(
    ({ extensions }) => extensions?.code === 'UNAUTHORIZED_FIELD_OR_TYPE',
  );
  const isAsMeant =
    response.status === 200 &&
    answer.data !== null &&
    denials.length === (answer.errors ?? []).length &&
    denials.length > 0 === expectDenials;
  if (!isAsMeant) throw new Error(`not the answer to be measured: ${JSON.stringify(answer).slice(0, 600)}`);
}
