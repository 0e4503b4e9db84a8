/** Where a data set lies in a tree that somebody unpacked: in the tree itself, or in a folder up to two steps below it. */
import { type FileTree, subtree } from '@franca/data';

/** The folders, '' for the tree itself, that are such a set: those nearest to the top. None where there is none. */
export function rootsIn(tree: FileTree, isRoot: (tree: FileTree) => boolean): string[] {
  const below = tree.names('').filter((name) => tree.names(name).length > 0);
  const deeper = below.flatMap((folder) => tree.names(folder).map((name) => `${folder}/${name}`));
  for (const folders of [[''], below, deeper]) {
    const found = folders.filter((folder) => isRoot(subtree(tree, folder)));
    if (found.length > 0) return found;
  }
  return [];
}

/** The beginning of an advice where the tree holds an archive and no set: `unpack a.zip first, or `; else nothing. */
export function unpackFirst(tree: FileTree): string {
  const packed = tree.list('').find((file) => /\.(tar\.(gz|xz|bz2)|tgz|zip)$/i.test(file));
  return packed === undefined ? '' : `unpack ${packed} first, or `;
}
