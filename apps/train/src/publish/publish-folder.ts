/** Publishing: first everything that would happen, in words; then, where that is wished, one commit. */
import { readFile } from 'node:fs/promises';
import { TrainError } from '../errors';
import { amountOfBytes } from '../text/amounts';
import { type CardFields, cardFields } from './card-fields';
import { type FilesToPublish, filesToPublish } from './files-to-publish';
import { addressOf, commitFiles, filesOf, type HubRepository, makeRepository, type OnUpload } from './hub-repository';

export interface PublishOptions extends HubRepository {
  /** Whether a repository that has to be made is one that everybody sees. */
  readonly public: boolean;
}

/** What publishing would do. */
export interface PublishPlan extends FilesToPublish {
  readonly options: PublishOptions;
  /** Files of the repository now; undefined where it would be made. */
  readonly there: ReadonlySet<string> | undefined;
  /** Why it is not known what is there. */
  readonly unknown: string | undefined;
  readonly card: CardFields;
}

/** @throws TrainError `usage` for a name that is none, `file` where there is nothing to publish */
export async function planPublishing(folder: string, options: PublishOptions): Promise<PublishPlan> {
  const part = '[\\w](?:[\\w.-]*[\\w])?';
  if (!new RegExp(`^${part}/${part}$`).test(options.repo))
    throw new TrainError('usage', `"${options.repo}" is no repository; give --repo owner/name`);
  const found = await filesToPublish(folder);
  const readme = found.files.find(({ path }) => path === 'README.md')!;
  const card = cardFields(await readFile(readme.file, 'utf8'));
  try {
    return { ...found, options, card, there: await filesOf(options), unknown: undefined };
  } catch (error) {
    if (!(error instanceof TrainError)) throw error;
    return { ...found, options, card, there: undefined, unknown: error.message };
  }
}

/** The plan, line by line. */
export function describePlan({ files, leftOut, options, there, unknown, card }: PublishPlan): string[] {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const what = (path: string) => (there?.has(path) ? 'replaces' : unknown ? '' : 'new');
  const sizes = files.map(({ bytes }) => amountOfBytes(bytes));
  const width = Math.max(...sizes.map(({ length }) => length));
  const visible = options.public ? 'public' : 'private, --public makes it one that everybody sees';
  const kept = [...(there ?? [])].filter((path) => !files.some((file) => file.path === path));
  return [
    unknown
      ? `it is not known what is there: ${unknown}`
      : there
        ? `${options.repo} is there; its visibility stays as it is`
        : `${options.repo} would be made on ${addressOf(options)} (${visible})`,
    ...files.map(({ path }, i) => `  ${sizes[i]!.padStart(width)}  ${path}  ${what(path)}`.trimEnd()),
    `${files.length} files, ${amountOfBytes(total)}, as one commit`,
    ...(kept.length > 0 ? [`${kept.length} other files there stay: ${some(kept)}`] : []),
    ...(leftOut.length > 0 ? [`not uploaded, as hidden or no plain file: ${some(leftOut)}`] : []),
    card.license === undefined
      ? 'README.md names no licence (license: in its first lines)'
      : `licence: ${card.license}`,
    ...card.toFillIn.map((field) => `README.md is still to be filled in, ${field}`),
  ];
}

const some = (paths: readonly string[]): string => `${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ', ...' : ''}`;

/**
 * Does what the plan says; returns where the model is.
 * @throws TrainError `usage` without a token or a licence, `run` where the hub refuses or cannot be reached
 */
export async function publish(
  plan: PublishPlan,
  { withoutLicense, onUpload }: { readonly withoutLicense: boolean; readonly onUpload?: OnUpload },
): Promise<string> {
  const { options, card, unknown, there, files } = plan;
  const { token } = options;
  if (card.license === undefined && !withoutLicense)
    throw new TrainError(
      'usage',
      'README.md names no licence, without which nobody may use the model; write one behind "license:", or give --without-license',
    );
  if (token === undefined)
    throw new TrainError(
      'usage',
      'there is no token of the hub: set HF_TOKEN to one with write access, or log in with `hf auth login`',
    );
  if (unknown !== undefined) throw new TrainError('run', unknown);
  if (!there) await makeRepository({ ...options, token }, options.public ? 'public' : 'private');
  return commitFiles({ ...options, token }, files, onUpload);
}
