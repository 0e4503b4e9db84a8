/** Human names of classes that are called by identifiers, from the files that data sets keep them in. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { aboveKaggle } from './label-places';

/** Lines of an identifier and a name behind a comma or a space. */
const TEXTS: readonly { readonly file: string; readonly line: RegExp }[] = [
  { file: 'labels.txt', line: /^([^,]+),(.*)$/ },
  { file: 'LOC_synset_mapping.txt', line: /^(\S+)\s+(?::\s*)?(.*)$/ },
  { file: 'synset_words.txt', line: /^(\S+)\s+(.*)$/ },
];

/**
 * Names by `labels.txt` (`wnid,name`), `LOC_synset_mapping.txt` (`wnid name, other name`) or `classes.json` (`{"wnid": "name"}`), for each class in
 * order; a class that is not named keeps its identifier. Undefined where there is no such file.
 * @param root the folder of the data set
 */
export async function readClassTitles(root: string, classes: readonly string[]): Promise<string[] | undefined> {
  for (const folder of [root, ...aboveKaggle(root)]) {
    for (const { file, line } of TEXTS) {
      const titles = await fromText(path.join(folder, file), line);
      if (titles) return classes.map((name) => titles.get(name) ?? name);
    }
    const titles = await fromJson(path.join(folder, 'classes.json'));
    if (titles) return classes.map((name) => titles.get(name) ?? name);
  }
  return undefined;
}

async function fromText(file: string, form: RegExp): Promise<Map<string, string> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const lines = text?.split('\n').flatMap((line) => {
    const [, name, title] = form.exec(line.trim()) ?? [];
    return name && title ? [[name.trim(), title.trim()] as const] : [];
  });
  return lines && new Map(lines);
}

async function fromJson(file: string): Promise<Map<string, string> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value).flatMap(([id, title]) => (typeof title === 'string' ? [[id, title]] : [])));
  } catch {
    return undefined;
  }
}
