/** What no honest checkpoint names: functions that run a program, run text as a program, or take files away when Python opens the pickle. */

/** Modules of which nothing belongs into weights. */
const MODULES = new Set([
  'asyncio.subprocess',
  'code',
  'commands',
  'ctypes',
  'importlib',
  'multiprocessing.popen_fork',
  'pdb',
  'pip',
  'pty',
  'requests',
  'requests.api',
  'runpy',
  'shutil',
  'socket',
  'subprocess',
  'timeit',
  'urllib.request',
  'webbrowser',
]);
const SYSTEM_MODULES = new Set(['os', 'posix', 'nt']);
const SYSTEM_CALLS =
  /^(_exit|abort|chmod|exec|fork|kill|popen|posix_spawn|putenv|remove|rename|rmdir|spawn|startfile|system|truncate|unlink)/;
const BUILTIN_MODULES = new Set(['builtins', '__builtin__']);
const BUILTINS = new Set(['__import__', 'breakpoint', 'compile', 'eval', 'exec', 'execfile', 'exit', 'input', 'open']);

/** Whether `module.name` is one of them. A list of known tricks only: what it lacks is not run either. */
export function runsCommands(qualified: string): boolean {
  const cut = qualified.lastIndexOf('.');
  const [module, name] = [qualified.slice(0, cut), qualified.slice(cut + 1)];
  if (SYSTEM_MODULES.has(module)) return SYSTEM_CALLS.test(name);
  if (BUILTIN_MODULES.has(module)) return BUILTINS.has(name);
  return MODULES.has(module) || [...MODULES].some((known) => module.startsWith(`${known}.`));
}
