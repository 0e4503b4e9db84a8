/** The format of `torch.save` since PyTorch 1.6: a zip with one pickle, `data.pkl`, and one entry for each storage. */
import type { ByteSource } from '../byte-source';
import { CheckpointError, quote } from '../errors';
import { foreignArchive } from '../foreign-files';
import { checkByteOrder, MAX_PICKLE_BYTES, namingFile, type TorchContents } from './contents';
import { unpickle } from './pickle';
import { torchHooks } from './torch-objects';
import { openZip, type ZipEntry, type ZipFile } from './zip';

/** Reads the directory and the pickle. @throws CheckpointError see `openPth` */
export async function readZipContents(file: ByteSource): Promise<TorchContents> {
  const { path } = file;
  const zip = await openZip(file);
  const { root, pickle } = findPickle(zip, path);
  const order = zip.entries.get(`${root}byteorder`);
  if (order && order.size <= 16) checkByteOrder(new TextDecoder().decode(await zip.read(order)), path);
  if (pickle.size > MAX_PICKLE_BYTES)
    throw new CheckpointError('too-large', `${path}: its pickle has ${pickle.size} bytes; no checkpoint needs that`);
  const bytes = await zip.read(pickle);
  const hooks = torchHooks();
  const entryOf = (key: string) => zip.entries.get(`${root}data/${key}`);
  return {
    root: namingFile(path, () => unpickle(bytes, hooks)),
    pickleBytes: bytes.length,
    inert: hooks.inert,
    storages: {
      size: (key) => entryOf(key)?.size,
      read: (key, start, length) => zip.read(entryOf(key)!, start, length),
    },
  };
}

/** torch puts everything into one folder, named after the file or `archive`. */
function findPickle(zip: ZipFile, path: string): { root: string; pickle: ZipEntry } {
  const names = [...zip.entries.keys()];
  const foreign = foreignArchive(names, path);
  if (foreign) throw foreign;
  const pickles = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = zip.entries.get(pickles[0] ?? '');
  if (pickle && pickles.length === 1) return { root: pickle.name.slice(0, -'data.pkl'.length), pickle };
  const found = `it has ${pickles.length} entries named */data.pkl, a file of torch.save has one`;
  const some = names.slice(0, 3).map(quote).join(', ') || 'nothing';
  throw new CheckpointError('format', `${path} is a zip but not of torch.save: ${found}; it holds ${some}`);
}
