import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { HealthController } from '@delta-ci/service';
import { ROLES_OF, type Access, type Endpoint, type Role } from '@delta-ci/contracts';
import type { Request } from '../http/exchange.ts';
import { refusedWith } from '../http/refused.ts';
import { ENDPOINT } from '../http/route.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Caller } from './caller.ts';
import type { RunnerTokens } from './runner-tokens.ts';
import { isSameText } from './same-text.ts';

export interface Proofs {
  readonly access: AccessTokens;
  readonly runners: RunnerTokens;
  readonly registrationToken: string;
}

/** Lets a request in by the rule of its endpoint. A handler without an endpoint lets nobody in. */
export class AuthorisationGuard implements CanActivate {
  readonly #proofs: Proofs;

  constructor(proofs: Proofs) {
    this.#proofs = proofs;
  }

  canActivate(context: ExecutionContext): boolean {
    // Probes: `service` adds them to every listener, and they hold nothing of anybody.
    if (context.getClass() === HealthController) return true;
    const endpoint = Reflect.getMetadata(ENDPOINT, context.getHandler()) as Endpoint | undefined;
    if (endpoint === undefined) throw refusedWith('forbidden', 'this route has no authorisation rule');
    const request = context.switchToHttp().getRequest<Request>();
    const caller = admit(endpoint.access, bearerIn(request), this.#proofs);
    if (caller !== null) request.caller = caller;
    return true;
  }
}

/** Who is let in; null where nobody has to say who they are, or where the handler checks the body's signature. */
function admit(access: Access, token: string | null, proofs: Proofs): Caller | null {
  switch (access) {
    case 'anyone':
    case 'signature':
      return null;
    case 'registration':
      if (token === null || !isSameText(token, proofs.registrationToken)) throw unauthenticated('registration token');
      return null;
    case 'runner':
      return token === null
        ? refuseStranger('runner token')
        : (proofs.runners.callerOf(token) ?? refuseStranger('runner token'));
    case 'viewer':
    case 'operator':
    case 'auditor':
    case 'admin':
      return admitRole(access, token, proofs);
  }
}

function admitRole(needed: Role, token: string | null, { access }: Proofs): Caller {
  const caller = token === null ? null : access.callerOf(token);
  if (caller === null) return refuseStranger('access token');
  if (ROLES_OF[caller.role].includes(needed)) return caller;
  throw refusedWith('forbidden', `this takes the role ${needed}; ${caller.name} is ${caller.role}`, { needed });
}

function refuseStranger(what: string): never {
  throw unauthenticated(what);
}

const unauthenticated = (what: string) =>
  refusedWith('unauthenticated', `send a valid ${what}: Authorization: Bearer ...`);

function bearerIn({ headers }: Request): string | null {
  return /^Bearer +([\x21-\x7e]{1,2000})$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
