import { underSchemaLock } from './admin-session.ts';
import { scramVerifier } from './scram-verifier.ts';

export interface ProvisionRolesOptions {
  readonly adminUrl: string;
  /** Chosen by the caller, e.g. random; given anew they replace the old ones. */
  readonly passwords: { readonly orchestrator: string; readonly reader: string };
}

/** Connection URLs of the application roles: host, port, database and parameters of the administrator's URL. */
export interface RoleUrls {
  readonly orchestratorUrl: string;
  readonly readerUrl: string;
}

/**
 * Lets the application roles log in with the given passwords. Needs `migrate` to have run. May be repeated and may
 * run in several processes at once; the last passwords hold.
 */
export function provisionRoles({ adminUrl, passwords }: ProvisionRolesOptions): Promise<RoleUrls> {
  return underSchemaLock(adminUrl, async (client, roles) => {
    for (const kind of ['orchestrator', 'reader'] as const) {
      const verifier = client.escapeLiteral(scramVerifier(passwords[kind]));
      await client.query(`ALTER ROLE "${roles[kind]}" LOGIN PASSWORD ${verifier}`);
    }
    return {
      orchestratorUrl: urlAs(adminUrl, roles.orchestrator, passwords.orchestrator),
      readerUrl: urlAs(adminUrl, roles.reader, passwords.reader),
    };
  });
}

function urlAs(adminUrl: string, user: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  return url.toString();
}
