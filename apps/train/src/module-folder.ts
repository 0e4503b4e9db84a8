/**
 * Modules that are found by reading their folder: a file that is added to it is part of the program.
 *
 * This file stands at the root of the sources because what several entries share lies at the root of `dist`: the
 * folders are beside it in both.
 */
import { readdirSync } from 'node:fs';

/** The modules of a folder, in the order of their names; `tsup.config.ts` makes each an entry of its own. */
export async function modulesIn<Module>(folder: 'commands' | 'eval/tasks'): Promise<Module[]> {
  const place = new URL(`./${folder}/`, import.meta.url);
  const files = readdirSync(place).filter((name) => /^[\w-]+\.(ts|js)$/.test(name));
  return Promise.all(files.sort().map((file): Promise<Module> => import(new URL(file, place).href)));
}
