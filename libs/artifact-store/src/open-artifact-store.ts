import type { ArtifactStore } from './artifact-store.ts';
import { FileArtifactStore } from './file-artifact-store.ts';

/** A value that does not print. */
interface Hidden {
  reveal(): string;
}

/** The settings of a service that say where its artifacts are; named as its variables, `DELTA_ARTIFACT_...`. */
export interface ArtifactStoreSettings {
  /** Of everything, or of what an object store cannot hold: logs that grow. */
  readonly artifactDir: string;
  readonly artifactStore: 'files' | 's3';
  readonly artifactS3Bucket?: string | undefined;
  readonly artifactS3Prefix?: string | undefined;
  readonly artifactS3Region: string;
  readonly artifactS3Endpoint?: string | undefined;
  readonly artifactS3PathStyle: boolean;
  readonly artifactS3AccessKeyId?: Hidden | undefined;
  readonly artifactS3SecretAccessKey?: Hidden | undefined;
}

/**
 * The artifact store that the settings name; `check` tells whether it can be reached. The S3 client is loaded only where it
 * is used.
 * @throws Error that names the setting that is missing
 */
export async function openArtifactStore(settings: ArtifactStoreSettings): Promise<ArtifactStore> {
  if (settings.artifactStore === 'files') return new FileArtifactStore(settings.artifactDir);
  const bucket = settings.artifactS3Bucket;
  if (bucket === undefined) throw new Error('DELTA_ARTIFACT_STORE is s3, but DELTA_ARTIFACT_S3_BUCKET names no bucket');
  const { S3ArtifactStore } = await import('./s3/s3-artifact-store.ts');
  const options = {
    bucket,
    prefix: settings.artifactS3Prefix ?? '',
    region: settings.artifactS3Region,
    endpoint: settings.artifactS3Endpoint ?? null,
    pathStyle: settings.artifactS3PathStyle,
    credentials: credentialsIn(settings),
  };
  return new S3ArtifactStore(options, settings.artifactDir);
}

function credentialsIn(settings: ArtifactStoreSettings): { accessKeyId: string; secretAccessKey: string } | null {
  const { artifactS3AccessKeyId: id, artifactS3SecretAccessKey: secret } = settings;
  if (id === undefined && secret === undefined) return null;
  if (id === undefined || secret === undefined) {
    throw new Error(
      'DELTA_ARTIFACT_S3_ACCESS_KEY_ID and DELTA_ARTIFACT_S3_SECRET_ACCESS_KEY are set together or not at all',
    );
  }
  return { accessKeyId: id.reveal(), secretAccessKey: secret.reveal() };
}
