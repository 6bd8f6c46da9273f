import type { IncomingMessage, ServerResponse } from 'node:http';
import { isGetOrHead } from './methods.js';
import { LIVE_PATH, READY_PATH, sendLive, sendReady } from './readiness.js';
import { requestTarget } from './request-target.js';
import type { Shutdown } from './shutdown.js';

/** The short form of `/health/ready`. */
export const HEALTH_PATH = '/health';

/** Why a server gets no requests. */
export interface Health {
  /** The codes of what is missing; empty if requests would be answered. */
  readonly problems: () => Promise<readonly string[]>;
  readonly shutdown: Pick<Shutdown, 'isDraining'>;
}

type AnswerHealth = (response: ServerResponse) => Promise<void> | void;

/** How a server answers the path; undefined if it is not one of health. The caller refuses methods other than GET and HEAD. */
export function healthAnswer(path: string, { problems, shutdown }: Health): AnswerHealth | undefined {
  if (path === LIVE_PATH) return sendLive;
  if (path !== READY_PATH && path !== HEALTH_PATH) return undefined;
  return async (response) => {
    const found = await problems();
    // Asked last: the checks take time.
    sendReady(response, shutdown.isDraining ? ['DRAINING', ...found] : found);
  };
}

/** Answers the addresses of health before the server is complete. @returns whether it was one, asked by GET or HEAD */
export function answerStartingHealth(request: IncomingMessage, response: ServerResponse): boolean {
  const { path } = requestTarget(request);
  if (!isGetOrHead(request)) return false;
  if (path === LIVE_PATH) sendLive(response);
  else if (path === READY_PATH || path === HEALTH_PATH) sendReady(response, ['STARTING']);
  else return false;
  return true;
}
