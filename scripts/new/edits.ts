/** What a template asks for, and the files it comes to: all of them in memory, or a refusal. */
import { conventionProblems } from '../checks/conventions';
import { Refusal } from './errors';
import type { Name } from './name';

/** Paths are relative to the root. */
export type Edit = NewFile | Insertion;

interface NewFile {
  readonly path: string;
  readonly text: string;
}

/** Puts `text` before the only place where `before` stands. */
interface Insertion extends NewFile {
  readonly before: string;
}

/** One kind of thing that can be new. */
export type Template = (name: Name) => Edit[];

/**
 * The texts of all files after the edits, by path. `read` gives a file's text, or undefined where there is none.
 * @throws Refusal where a file exists already, a place is not found, or a text breaks the conventions
 */
export function filesAfter(
  edits: readonly Edit[],
  read: (path: string) => string | undefined,
): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const edit of edits) {
    const present = files.get(edit.path) ?? read(edit.path);
    files.set(edit.path, 'before' in edit ? inserted(edit, present) : created(edit, present));
  }
  const problems = [...files].filter(([path]) => isChecked(path)).flatMap((file) => conventionProblems(...file));
  if (problems[0]) throw new Refusal(problems[0]);
  return files;
}

function created({ path, text }: NewFile, present: string | undefined): string {
  if (present !== undefined) throw new Refusal(`${path} exists already`);
  return text;
}

function inserted({ path, before, text }: Insertion, present = ''): string {
  const parts = present.split(before);
  if (parts.length !== 2)
    throw new Refusal(
      `${path} has ${parts.length - 1} places that read ${JSON.stringify(before)}, not one; correct scripts/new`,
    );
  return parts.join(text + before);
}

const isChecked = (path: string): boolean => path.endsWith('.ts') && !/\.(test|config)\.ts$/.test(path);

/** A note for the next release, without which no change of a package is whole. */
export const changeset = (file: string, packageName: string, text: string): Edit => ({
  path: `.changeset/${file}.md`,
  text: `---\n'${packageName}': minor\n---\n\n${text}\n`,
});
