/** Whom TLS trusts: Node's own authorities, and where these do not know an issuer, those that Go would ask. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import tls, { type SecureContext } from 'node:tls';
import type { Environment } from '../config/environment.js';

/** The files that Go tries on Linux and other Unix systems; the first that exists counts (crypto/x509, root_linux.go). */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The trusted authorities of this run.
 *
 * Node's are those it brings, and NODE_EXTRA_CA_CERTS. To parse the system's, some 150, takes 20 to 60 ms; so they are
 * read only when a handshake failed for want of them.
 */
export class TrustedRoots {
  readonly #env: Environment;
  #context: SecureContext | undefined;
  #wide = false;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** What to check certificates against; `undefined` are Node's own authorities. */
  get context(): SecureContext | undefined {
    return this.#context;
  }

  /**
   * Adds SSL_CERT_FILE and SSL_CERT_DIR, or where neither is set the system's own. Go trusts these alone; here they are
   * trusted beside Node's.
   *
   * @returns whether there was something to add; `false` at the second call.
   */
  widen(): boolean {
    if (this.#wide) return false;
    this.#wide = true;
    const more = this.#named() ?? systemRoots();
    if (more.length === 0) return false;
    // Node passes over a certificate that it cannot read
    this.#context = tls.createSecureContext({ ca: [...nodeRoots(this.#env), ...more] });
    return true;
  }

  #named(): string[] | undefined {
    const file = this.#env.get('SSL_CERT_FILE');
    const folders = this.#env.get('SSL_CERT_DIR');
    if (file === undefined && folders === undefined) return undefined;
    const files = (folders ?? '').split(':').flatMap((folder) => names(folder).map((name) => path.join(folder, name)));
    return [...(file === undefined ? [] : [file]), ...files].flatMap((name) => pem(name));
  }
}

/** Node's defaults as a list; Node itself leaves NODE_EXTRA_CA_CERTS out as soon as any list is given. */
function nodeRoots(env: Environment): string[] {
  const extra = env.get('NODE_EXTRA_CA_CERTS');
  return [...tls.rootCertificates, ...(extra === undefined ? [] : pem(extra))];
}

function systemRoots(): string[] {
  // since Node 22.15; on macOS and Windows there is no file to read instead
  const { getCACertificates } = tls as { getCACertificates?: (type: 'system') => string[] };
  if (getCACertificates !== undefined) return getCACertificates('system');
  for (const file of SYSTEM_FILES) {
    const found = pem(file);
    if (found.length > 0) return found;
  }
  return [];
}

/** The certificates of a file, one each: a file has many, and other things beside. None where it cannot be read. */
function pem(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  } catch {
    return [];
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
