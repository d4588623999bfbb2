/** Whom TLS trusts: the authorities of SSL_CERT_FILE, else Node's own; and where these do not know an issuer, all that Go would ask. */

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
 * Node's are those it brings, and NODE_EXTRA_CA_CERTS. To parse 150 of them takes 20 to 60 ms; so a file that a person has
 * named is tried alone, as Go does, and more are read only when a handshake failed for want of them.
 */
export class TrustedRoots {
  readonly #env: Environment;
  readonly #file: string[];
  #context: SecureContext | undefined;
  #asked = false;
  /** Whether there are more by now than at first. */
  isWide = false;

  constructor(env: Environment) {
    this.#env = env;
    const file = env.get('SSL_CERT_FILE');
    this.#file = file === undefined ? [] : pem(file);
  }

  /** What to check certificates against; `undefined` are Node's own authorities. */
  get context(): SecureContext | undefined {
    if (this.#context === undefined && this.#file.length > 0) this.#context = contextOf(this.#file);
    return this.#context;
  }

  /**
   * Adds Node's own, and SSL_CERT_DIR, or where neither variable is set the system's. Go trusts what the variables name
   * alone; here all are trusted in the end.
   *
   * @returns whether there was something to add; `false` at the second call.
   */
  widen(): boolean {
    if (this.#asked) return false;
    this.#asked = true;
    const named = this.#inFolders() ?? (this.#env.get('SSL_CERT_FILE') === undefined ? systemRoots() : []);
    const more = [...this.#file, ...named];
    if (more.length === 0) return false;
    this.#context = contextOf([...nodeRoots(this.#env), ...more]);
    this.isWide = true;
    return true;
  }

  #inFolders(): string[] | undefined {
    const folders = this.#env.get('SSL_CERT_DIR');
    return folders?.split(':').flatMap((folder) => names(folder).flatMap((name) => pem(path.join(folder, name))));
  }
}

/** Node passes over a certificate that it cannot read. */
function contextOf(ca: string[]): SecureContext {
  return tls.createSecureContext({ ca });
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
