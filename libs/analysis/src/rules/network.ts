import { NEARNESS, type LogRule } from './rule.ts';

/** What programs say of servers they reached and do not believe. */
export const NETWORK_RULES: readonly LogRule[] = [
  {
    id: 'certificate-not-trusted',
    hints: ['CERT', 'ertificate', 'PKIX'],
    pattern:
      '(?:\\b(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERTIFICATE_VERIFY_FAILED)\\b|x509: certificate signed by unknown authority|SSL certificate problem: |unable to get local issuer certificate|server certificate verification failed|(?:[Ee]rror|reason): (?:self[- ]signed certificate|unable to verify the first certificate)|PKIX path building failed|invalid peer certificate: UnknownIssuer)',
    class: 'tooling',
    category: 'certificate',
    confidence: 'high',
    precedence: NEARNESS.fetching + 1,
    headline: 'The certificate of a server is not trusted in the job',
    explanation:
      'A program reached a server and refused its certificate, because it does not know the authority that signed it.',
    nextStep:
      'If a proxy on the way shows certificates of its own, give its authority to the program in env: of delta.yaml: NODE_EXTRA_CA_CERTS for Node and npm, SSL_CERT_FILE for most others, with a path that the job sees, such as below /etc/ssl/certs.',
    examples: {
      matching: [
        'npm error code SELF_SIGNED_CERT_IN_CHAIN',
        'npm error request to https://registry.example.org/a failed, reason: self-signed certificate in certificate chain',
        'curl: (60) SSL certificate problem: unable to get local issuer certificate',
        'Get "https://proxy.example.org/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
        "fatal: unable to access 'https://git.example.org/a/': server certificate verification failed. CAfile: none",
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))",
      ],
      notMatching: ['✔ refuses a self-signed certificate', 'made a self-signed certificate for the tests'],
    },
  },
];
