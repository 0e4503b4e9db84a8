/** A model repository on the hub, as far as publishing asks: what it holds, that it is made, one commit into it. What goes wrong is said in one line. */
import { pathToFileURL } from 'node:url';
import { proxiedFetch } from '@franca/data';
import { commitIter, createRepo, HubApiError, listFiles } from '@huggingface/hub';
import { TrainError } from '../errors';
import type { FileToPublish } from './files-to-publish';

export interface HubRepository {
  /** `owner/name`. */
  readonly repo: string;
  readonly token: string | undefined;
  /** Default `$HF_ENDPOINT`, else https://huggingface.co. */
  readonly hubUrl?: string;
}

/** How an upload goes on: what is done now, and how far a file is, 0 to 1. */
export type OnUpload = (what: string, path?: string, share?: number) => void;

const DEFAULT_HUB = 'https://huggingface.co';

/** Where it is, without a slash at the end. */
export const addressOf = ({ hubUrl = process.env.HF_ENDPOINT || DEFAULT_HUB }: Pick<HubRepository, 'hubUrl'>): string =>
  hubUrl.replace(/\/+$/, '');

const request = (repository: HubRepository) => ({
  repo: { type: 'model', name: repository.repo } as const,
  hubUrl: addressOf(repository),
  fetch: proxiedFetch,
  ...(repository.token === undefined ? {} : { accessToken: repository.token }),
});

/** Paths of the files that are there; undefined where there is no such repository, or none that the token may see. @throws TrainError `run` */
export async function filesOf(repository: HubRepository): Promise<ReadonlySet<string> | undefined> {
  try {
    const paths = new Set<string>();
    for await (const { type, path } of listFiles({ ...request(repository), recursive: true }))
      if (type === 'file') paths.add(path);
    return paths;
  } catch (error) {
    // the hub tells nobody of a private repository that there is one
    if (error instanceof HubApiError && (error.statusCode === 404 || (error.statusCode === 401 && !repository.token)))
      return undefined;
    throw hubError(repository, error);
  }
}

/** @throws TrainError `run` */
export async function makeRepository(
  repository: HubRepository & { readonly token: string },
  visibility: 'public' | 'private',
): Promise<void> {
  await createRepo({ ...request(repository), accessToken: repository.token, visibility }).catch((error: unknown) => {
    throw hubError(repository, error);
  });
}

/** Uploads files as one commit: all of them or none; returns where they are. @throws TrainError `run` */
export async function commitFiles(
  repository: HubRepository & { readonly token: string },
  files: readonly FileToPublish[],
  onUpload: OnUpload = () => {},
): Promise<string> {
  try {
    const commit = commitIter({
      ...request(repository),
      accessToken: repository.token,
      title: 'Upload a model by franca-train',
      operations: files.map(({ path, file }) => ({ operation: 'addOrUpdate', path, content: pathToFileURL(file) })),
    });
    for (;;) {
      const { done, value } = await commit.next();
      if (done) return `${addressOf(repository)}/${repository.repo}`;
      if (value.event === 'phase') onUpload(PHASES[value.phase]);
      else onUpload(value.state, value.path, value.progress);
    }
  } catch (error) {
    throw hubError(repository, error);
  }
}

const PHASES = {
  preuploading: 'asking which files are large',
  uploadingLargeFiles: 'uploading large files',
  committing: 'committing',
} as const;

const REASONS: Readonly<Record<number, string>> = {
  401: 'the token is not valid, or the repository is private and it may not see it; give a valid one in HF_TOKEN',
  403: 'the token may not write there; give one with write access to that owner in HF_TOKEN',
  404: 'there is no such owner or repository',
  409: 'the repository is there already under that name and cannot be made, or it changed meanwhile; check the name and the rights of the token, and try again',
  429: 'too many requests; try again later',
};

function hubError(repository: HubRepository, error: unknown): Error {
  const where = `${repository.repo} on ${addressOf(repository)}`;
  if (error instanceof HubApiError) {
    const said = oneLine(error.message.replace(/\. URL: .*$/s, ''));
    const reason = REASONS[error.statusCode] ?? `it says "${said}"`;
    return new TrainError('run', `${where}: the hub answers ${error.statusCode}: ${reason}`, { cause: error });
  }
  if (error instanceof TypeError || (error instanceof Error && 'code' in error))
    return new TrainError('run', `${where} cannot be reached: ${causeOf(error)}`, { cause: error });
  return error instanceof Error ? error : new Error(String(error));
}

/** `fetch` says no more than that it failed; why is in the cause. */
function causeOf(error: Error): string {
  const { cause } = error;
  return oneLine(
    cause instanceof Error ? cause.message || String('code' in cause ? cause.code : cause.name) : error.message,
  );
}

/** Text of a server must not drive a terminal. */
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
