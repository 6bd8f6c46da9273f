import type { ProtectionOptions } from '../../gateway/options/protection-options.js';
import { normalizeOptions } from '../../gateway/options/normalize.js';
import { Pipeline } from '../../gateway/pipeline.js';
import { createProtection } from '../../gateway/protection.js';
import type { Protection } from '../../gateway/protection.js';
import { GatewayRequest } from '../../gateway/stages/gateway-request.js';
import { authenticate, refuseSuspended } from '../../gateway/steps/authenticate.js';
import type { Authenticated } from '../../gateway/stages/stages.js';

/** The pipeline's first step alone, with the parts of a gateway with these options. */
export class Admission {
  readonly protection: Protection;
  readonly pipeline: Pipeline;

  constructor(options: ProtectionOptions) {
    this.protection = createProtection(normalizeOptions(options));
    this.pipeline = new Pipeline(this.protection.pipeline);
  }

  /** @throws {RefusedError} as the step does, neither sealed nor completed */
  async authenticate(token: string): Promise<Authenticated> {
    const { exchange, usage } = new GatewayRequest({ authorization: [`Bearer ${token}`] });
    const { authentication } = this.protection.pipeline;
    const authenticated = await authenticate({ exchange, usage, isAuthenticated: false }, authentication);
    return refuseSuspended(authenticated, authentication);
  }
}
