/**
 * What lies among pictures without being one: the traces that systems and archivers leave. One rule for folders, archives
 * and lists: hidden names (`.DS_Store`, `._cat.jpg`, `.thumbnails`) and everything below a hidden folder, and the names below.
 */

const TRACES: ReadonlySet<string> = new Set(['__macosx', 'thumbs.db', 'desktop.ini', '@eadir']);

/** Whether a file or folder name, or a part of a path with `/`, is such a trace. */
export function isPassedOver(path: string): boolean {
  return path
    .split('/')
    .some((part) => (part.startsWith('.') && !/^\.\.?$/.test(part)) || TRACES.has(part.toLowerCase()));
}
