import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { FakeForge } from '../../../test/support/fake-forge/fake-forge.ts';
import { writeForgeSettings } from '../../../test/support/fake-forge/forge-settings.ts';
import type { ToldPush } from '../../../test/support/fake-forge/push-webhook.ts';
import {
  DeveloperClone,
  credentialHelper,
  openBareRepository,
} from '../../../test/support/git-server/bare-repository.ts';
import { DEMO_REPOSITORY, OWN_REPOSITORY, SHOP_REPOSITORY } from './shop-repository.ts';

/** The forge that a mesh of this machine serves: the demonstration's repository, and an empty one for code of one's own. */
export class DemoForge {
  readonly forge: FakeForge;
  /** Who pushes to the demonstration's repository. */
  readonly developer: DeveloperClone;
  /** For the services: its repositories, and where their secrets are. */
  readonly settingsFile: string;
  readonly #credentials: string;
  readonly #webhookSecret: string;

  private constructor(parts: {
    forge: FakeForge;
    developer: DeveloperClone;
    settingsFile: string;
    credentials: string;
    webhookSecret: string;
  }) {
    this.forge = parts.forge;
    this.developer = parts.developer;
    this.settingsFile = parts.settingsFile;
    this.#credentials = parts.credentials;
    this.#webhookSecret = parts.webhookSecret;
  }

  /**
   * Opens it with the demonstration's first commit. What was pushed to the repository of one's own stays from start to start.
   * @param directory kept between starts; what is secret there its owner alone can read
   * @param port where it listens if nobody else does; otherwise, and for 0, at any free one
   */
  static async open(directory: string, port: number): Promise<DemoForge> {
    const [token, webhookSecret, pushPassword] = [secret(), secret(), secret()];
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const options = { directory: join(directory, 'forge'), token, pushPassword };
    mkdirSync(options.directory, { recursive: true });
    const forge = await FakeForge.start({ ...options, port }).catch(async (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return FakeForge.start(options);
      throw error;
    });
    try {
      return await DemoForge.#furnish(directory, forge, { token, webhookSecret, pushPassword });
    } catch (error) {
      await forge.close();
      throw error;
    }
  }

  static async #furnish(
    directory: string,
    forge: FakeForge,
    { token, webhookSecret, pushPassword }: Readonly<Record<'token' | 'webhookSecret' | 'pushPassword', string>>,
  ): Promise<DemoForge> {
    const credentials = join(directory, 'git-credentials');
    writeFileSync(credentials, `${forge.url.replace('//', `//delta:${pushPassword}@`)}\n`, { mode: 0o600 });
    await openBareRepository(forge.barePath(OWN_REPOSITORY));
    const developer = await DeveloperClone.create(
      forge.barePath(DEMO_REPOSITORY),
      forge.cloneUrl(DEMO_REPOSITORY),
      undefined,
      credentials,
    );
    await developer.push('main', 'three packages', SHOP_REPOSITORY);
    const settingsFile = writeForgeSettings(directory, {
      apiUrl: forge.apiUrl,
      secrets: { webhook: webhookSecret, token },
      repositories: [DEMO_REPOSITORY, OWN_REPOSITORY].map((name) => ({
        id: `github/${name}`,
        cloneUrl: forge.cloneUrl(name),
        defaultBranch: 'main',
      })),
    });
    return new DemoForge({ forge, developer, settingsFile, credentials, webhookSecret });
  }

  /** From now on each push starts a run there, in the name of whoever runs this. */
  tellPushes(gatewayUrl: string, heard: (push: ToldPush) => void): void {
    const url = `${gatewayUrl}/api/v1/webhooks/github`;
    this.forge.tellPushes({ url, secret: this.#webhookSecret, sender: nameOfUser() }, heard);
  }

  /** The command that pushes what is checked out in a directory to the repository of one's own. */
  pushCommand(directory: string): string {
    const helper = credentialHelper(this.#credentials);
    return `git -C ${directory} -c credential.helper='${helper}' push ${this.forge.cloneUrl(OWN_REPOSITORY)} HEAD:refs/heads/main`;
  }

  async close(): Promise<void> {
    await this.developer.remove();
    await this.forge.close();
  }
}

/** Users of containers need not be in any list of users. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `user-${process.getuid?.() ?? 0}`;
  }
}

const secret = (): string => randomBytes(24).toString('hex');
