/** What only Behalf's other packages use. Internal: it changes without notice, in any version. */
export { policyErrors } from './errors.js';
