import { cliReference, CommandProcess, createProgram, errorReference } from 'behalf/internal';
import { auditEventsReference } from './audit-events.js';
import { claimsReference } from './claims.js';
import { configurationReference } from './configuration.js';
import { logReference } from './log-codes.js';
import { metricsReference } from './metrics.js';
import { telemetryReference } from './telemetry.js';

/** The generated pages of docs/reference, by file name. */
export const references: Readonly<Record<string, () => string | Promise<string>>> = Object.freeze({
  'audit-events.md': auditEventsReference,
  'cli.md': () => cliReference(createProgram(new CommandProcess(process))),
  'claims.md': claimsReference,
  'configuration.md': configurationReference,
  'errors.md': errorReference,
  'log-codes.md': logReference,
  'metrics.md': metricsReference,
  'spans.md': telemetryReference,
});
