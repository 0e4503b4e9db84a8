/** `a.b=value` from the command line. Values are YAML: `0.1`, `[0.3, 1]`, `true`, `null`, text. */
import { parse } from 'yaml';
import { TrainError } from '../errors';
import { merge, type Tree, treeOf } from './tree';

/** The tree of all overrides; later ones win. @throws TrainError `config` that names the word which is not an override */
export const parseOverrides = (words: readonly string[]): Tree =>
  words.reduce<Tree>((tree, word) => merge(tree, parseOverride(word)), {});

function parseOverride(word: string): Tree {
  const [, key, text] = /^([^=\s]+)=(.*)$/s.exec(word) ?? [];
  const path = key?.split('.') ?? [];
  if (text === undefined || path.some((part) => part === ''))
    throw new TrainError('config', `"${word}" is no override; expected section.key=value, e.g. optim.base_lr=1e-3`);
  let value: Tree[string];
  try {
    // a colon followed by a space would start a mapping; data set strings have colons without one
    value = text === '' ? '' : parse(text);
  } catch (cause) {
    const [reason] = (cause as Error).message.split(' at line');
    throw new TrainError('config', `the value of "${word}" is not YAML: ${reason}`);
  }
  return treeOf(path, value);
}
