/**
 * What lies among pictures without being one: the traces that systems and archivers leave. One rule for folders, archives
 * and lists: hidden names (`.DS_Store`, `._cat.jpg`, `.thumbnails`) and everything below a hidden folder, and the names below.
 */

const TRACES: ReadonlySet<string> = new Set([
  // macOS: what its archiver adds, the icon of a folder.
  '__macosx',
  'icon\r',
  // Windows.
  'thumbs.db',
  'ehthumbs.db',
  'ehthumbs_vista.db',
  'desktop.ini',
  '$recycle.bin',
  'system volume information',
  // Synology, whose `@eaDir` holds thumbnails as JPEG.
  '@eadir',
  '@tmp',
  '#recycle',
  '#snapshot',
  // Picasa, old and new (`.picasaoriginals` is hidden anyway); file systems after a repair.
  'picasa.ini',
  'lost+found',
]);

/** Whether a file or folder name, or a part of a path, is such a trace. */
export function isPassedOver(path: string): boolean {
  return path
    .split(/[/\\]/)
    .some((part) => (part.startsWith('.') && !/^\.\.?$/.test(part)) || TRACES.has(part.toLowerCase()));
}
