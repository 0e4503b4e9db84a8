/**
 * `fetch` by way of the proxy that the environment names, in the usual variables: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, in small letters too.
 *
 * Node's own `fetch` looks at them from version 24 on, and only where it is told to. Without such a variable this is Node's own.
 */

const VARIABLES = ['https_proxy', 'http_proxy', 'HTTPS_PROXY', 'HTTP_PROXY'];

let agent: Promise<unknown> | undefined;

/** As `fetch`. */
export const proxiedFetch: typeof fetch = async (input, init) => {
  if (!VARIABLES.some((name) => process.env[name])) return fetch(input, init);
  agent ??= createAgent();
  // what Node's `fetch` takes beside the standard's options
  return fetch(input, { ...init, ...{ dispatcher: await agent } });
};

/** The environment is read once, as the agent keeps its connections. */
async function createAgent(): Promise<unknown> {
  const { EnvHttpProxyAgent } = await import('undici');
  return new EnvHttpProxyAgent();
}
