/**
 * `@apollo/gateway` looks for a cloud's metadata service and exports usage metrics to its vendor, unless this is set before it
 * is created. A layer that protects data must not do that unasked.
 *
 * Must be imported before `@apollo/gateway`; `apollo.ts` is the only place that imports the package.
 */
process.env.APOLLO_TELEMETRY_DISABLED = 'true';
