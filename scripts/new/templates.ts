/** Every kind of thing that `npm run new` makes, and the files that one of them comes to. */
import { filesAfter, type Template } from './edits';
import { elementwiseTemplate } from './elementwise';
import { Refusal } from './errors';
import { evalTemplate } from './eval';
import { lossTemplate } from './loss';
import { nameOf } from './name';
import { opTemplate } from './op';
import { packageTemplate } from './package';
import { sourceTemplate } from './source';

const USAGE = 'usage: npm run new -- op|loss|eval|source|package <name>, or op <name> --elementwise';

const templates: Readonly<Record<string, Template>> = {
  op: opTemplate,
  'op --elementwise': elementwiseTemplate,
  loss: lossTemplate,
  eval: evalTemplate,
  source: sourceTemplate,
  package: packageTemplate,
};

/**
 * The files that a command line (`op row-squares`) asks for, new and changed, by path. `read` gives a file as it is, or undefined.
 * @throws Refusal for a name that cannot be one or is taken, and whatever else would leave something half made
 */
export function newFiles(
  [kind = '', name = '', ...options]: readonly string[],
  read: (path: string) => string | undefined,
): ReadonlyMap<string, string> {
  const template = templates[[kind, ...options].join(' ')];
  if (!template || !name) throw new Refusal(USAGE);
  return filesAfter(template(nameOf(name)), read);
}
