import { notFound, type Found, type SecretProvider } from './secret-provider.ts';

/** The gateway's own settings, its passwords among them. */
const OWN = /^DELTA_/;

/** Variables of the gateway's process. A place is a variable's name. */
export class EnvProvider implements SecretProvider {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  async find(place: string): Promise<Found> {
    const value = this.#env[place];
    return Promise.resolve(
      value === undefined || value === '' ? notFound('the variable has no value') : { ok: true, value },
    );
  }

  whyNoPlace(place: string): string | null {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(place)) return 'expected the name of a variable';
    if (OWN.test(place)) return 'variables that begin with DELTA_ are settings of the gateway itself';
    return this.#env[place] ? null : `the variable ${place} is not set, or empty`;
  }
}
