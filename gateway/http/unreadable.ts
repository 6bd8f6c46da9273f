import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { answerUnreadable as answerUnreadableAs } from '@behalf/http/internal';
import { httpErrors } from '../errors.js';
import type { Cors } from './cors.js';
import { refuseAnywhere } from './refuse-http.js';

/**
 * Answers requests that node:http cannot read, in GraphQL's form: their address is not known, and most requests are for
 * operations.
 */
export function answerUnreadable(server: Server | TlsServer, cors?: Cors): void {
  answerUnreadableAs(server, {
    answer(code) {
      const { description: message, status } = httpErrors[code];
      return { status, body: { errors: [{ message, extensions: { code } }] } };
    },
    headersFor: (unreadable) => cors?.unreadHeaders(unreadable) ?? {},
    refuseExpectation(request, response) {
      cors?.setHeaders(request, response);
      refuseAnywhere(request, response, 'EXPECTATION_FAILED', { connection: 'close' });
    },
  });
}
