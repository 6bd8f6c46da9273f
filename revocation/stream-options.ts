import type { ForeignEventName } from './foreign-events.js';

/** One stream of revocations that is followed (OpenID SSF 1.0, by long polls as in RFC 8936). */
export interface StreamOptions {
  /** Issuer of the events, and of the tokens that they end. */
  readonly issuer: string;
  /** Default: `/.well-known/ssf-configuration` of the issuer. */
  readonly configurationUri?: string;
  /**
   * Hosts that secrets may be sent to, in addition to those of the issuer and of `configurationUri`, with the port unless it is
   * the scheme's default. An address on any other host is refused, whatever document names it.
   */
  readonly hosts?: readonly string[];
  /**
   * Bearer secret. With it the receiver creates a stream, and the transmitter returns that stream's own secret. For a foreign
   * stream, the credential for the delivery endpoint.
   */
  readonly secret: string;
  /** The receiver's name for callers that wait for all of them. Default: host name and process. */
  readonly instance?: string | undefined;
  /** A stream that was created by other means, at an issuer that is not a Behalf authority. */
  readonly foreign?: ForeignStreamOptions;
}

/** A stream of an issuer that is not a Behalf authority, and was made by other means. See {@link StreamOptions.foreign}. */
export interface ForeignStreamOptions {
  /** Where its events are polled (RFC 8936). */
  readonly deliveryEndpoint: string;
  /** `aud` of its events. */
  readonly audience: string;
  /** Default: `jwks_uri` of the issuer's SSF metadata. */
  readonly jwksUri?: string;
  /** Event types to apply. Default: all of {@link ForeignEventName}. */
  readonly events?: readonly ForeignEventName[];
  /** Whether the tokens' `sub` is the email address by which events name people. Default false. */
  readonly emailIsSubject?: boolean;
}

/** A stream that {@link watchRevocations} follows. */
export interface ReceiverOptions extends StreamOptions {
  /** Whether the issuer may be reached over plain `http:`, also on another machine. For development only. Default false. */
  readonly allowInsecureIssuer?: boolean;
}
