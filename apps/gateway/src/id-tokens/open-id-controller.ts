import { Controller, Inject } from '@nestjs/common';
import { refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import type { IdTokenIssuer } from './id-token-issuer.ts';

/** How anybody checks an identity token of a job. */
@Controller()
export class OpenIdController {
  readonly #issuer: IdTokenIssuer | null;

  constructor(@Inject(PARTS) { idTokens }: GatewayParts) {
    this.#issuer = idTokens;
  }

  @Route('openIdConfiguration')
  describe(): object {
    return this.#required().description;
  }

  @Route('jsonWebKeySet')
  async keys(): Promise<object> {
    return this.#required().keySet();
  }

  #required(): IdTokenIssuer {
    if (this.#issuer === null) throw refusedWith('not_found', 'this installation issues no identity tokens');
    return this.#issuer;
  }
}
