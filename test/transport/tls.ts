/**
 * A key and a self-signed certificate for servers of tests on this machine: localhost, 127.0.0.1, ::1, and the made-up
 * name db.example. They protect nothing. Made once by
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 36500 \
 *       -subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:db.example,IP:127.0.0.1,IP:::1 \
 *       -addext basicConstraints=critical,CA:TRUE
 */

/** The private key, PEM. */
export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxP6NEFN8+bGrTCRg
Ab9CDLaRUkq/uF5BAzcsWL66p5ChRANCAATThInkBCu7nXXPWKINC7ONYF3DTHBC
VU0BgcQVcbIwhM7RAnIrLhKbRxM6/BatAMcUA0UAxpQ8YmoQahRGZdn0
-----END PRIVATE KEY-----
`;

/** The certificate, PEM; also the authority to trust. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBvDCCAWGgAwIBAgIUW5MO2p5yB5b7e3fsFeUFvD9ssIwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTExNDcwMVoYDzIxMjYxMDI4
MTE0NzAxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATThInkBCu7nXXPWKINC7ONYF3DTHBCVU0BgcQVcbIwhM7RAnIrLhKb
RxM6/BatAMcUA0UAxpQ8YmoQahRGZdn0o4GOMIGLMB0GA1UdDgQWBBTtr608Cqjl
FAu3nWPuRgNcv+oVLDAfBgNVHSMEGDAWgBTtr608CqjlFAu3nWPuRgNcv+oVLDA4
BgNVHREEMTAvgglsb2NhbGhvc3SCCmRiLmV4YW1wbGWHBH8AAAGHEAAAAAAAAAAA
AAAAAAAAAAEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAvZjg
vT0kwpUiC4rGHtnn2FWIov+ppX9d2kz+7KgQdjYCIQDY+wa43PN3zY1LbcArl4eB
vK5RgZB6NUGDfTIIU0oqvQ==
-----END CERTIFICATE-----
`;
