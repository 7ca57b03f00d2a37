const CODE = /^[A-Z0-9_]{2,32}$/;

/**
 * Says in one word why a service did not answer: `timeout`, the error's code, or `error`.
 *
 * Never its message: that may hold an address or a password, and health answers are public.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && CODE.test(code)) return code;
  return /time(d )?out/i.test(error.message) ? 'timeout' : 'error';
}
