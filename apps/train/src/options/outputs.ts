/** Where a command writes, asked before its long work: what could not be written, or would destroy what the command reads. */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { TrainError } from '../errors';

const find = (path: string) =>
  stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });

/**
 * Refuses a file that cannot be written: its folder has to exist.
 * @param inputs files and folders that the command reads; other names of data are passed over
 * @throws TrainError `file`
 */
export async function checkOutputFile(path: string, inputs: readonly string[] = []): Promise<void> {
  const there = await find(path);
  if (there?.isDirectory()) throw new TrainError('file', `${path} is a folder; name a file to write`);
  const folder = dirname(resolve(path));
  if (!(await find(folder))?.isDirectory())
    throw new TrainError('file', `${path} cannot be written, as there is no folder ${folder}; make it first`);
  await checkWritable(folder);
  if (there) for (const input of inputs) await refuseSame(path, input);
}

/** Refuses a folder that cannot be made, or in which one of `names` would replace an input. @throws TrainError `file` */
export async function checkOutputFolder(
  path: string,
  { names = [], inputs = [] }: { readonly names?: readonly string[]; readonly inputs?: readonly string[] } = {},
): Promise<void> {
  let nearest = resolve(path);
  let there = await find(nearest);
  while (!there && dirname(nearest) !== nearest) {
    nearest = dirname(nearest);
    there = await find(nearest);
  }
  if (!there?.isDirectory())
    throw new TrainError('file', `${path} cannot be a folder, as ${nearest} is a file; give another --out`);
  await checkWritable(nearest);
  for (const name of names)
    if (await find(join(path, name))) for (const input of inputs) await refuseSame(join(path, name), input);
}

async function checkWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK).catch((cause) => {
    throw new TrainError('file', `${folder} cannot be written to; give another place`, { cause });
  });
}

/** Refuses to replace a file that is an input, or lies in a folder that is one and is no older result of an evaluation. */
async function refuseSame(path: string, input: string): Promise<void> {
  const [own, read] = await Promise.all([path, input].map((one) => realpath(one).catch(() => undefined)));
  if (own === undefined || read === undefined) return;
  if (own === read || (own.startsWith(read + sep) && !isResult(own)))
    throw new TrainError('file', `${path} would replace what is read from ${input}; write to another place`);
}

const isResult = (path: string): boolean =>
  /\.(json|html)$/.test(path) && !['report.html', 'environment.json', 'config.json'].includes(basename(path));
