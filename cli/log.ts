import { jsonLog } from '../gateway/index.js';
import type { GatewayLog, LogLevel } from '../gateway/index.js';

/** One log for all parts: JSON lines on standard error. */
export function partsLog(least: LogLevel): GatewayLog {
  return jsonLog(least);
}
