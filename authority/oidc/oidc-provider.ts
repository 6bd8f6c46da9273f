// The order matters: this module is loaded before oidc-provider, which warns while it is loaded.
import { endExpectedWarning } from './expected-warning.js';
import { errors, interactionPolicy, Provider } from 'oidc-provider';

endExpectedWarning();

/** The one place that loads oidc-provider. Types may be imported from the package itself. */
export { errors, interactionPolicy, Provider };
