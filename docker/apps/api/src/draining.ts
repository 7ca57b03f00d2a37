import type { Server, ServerResponse } from 'node:http';

/**
 * Lets a server end without cutting an answer off, and without waiting for idle clients.
 *
 * `server.close()` alone waits for every kept-alive connection until its client gives it up.
 */
export class Draining {
  private readonly answering = new Set<ServerResponse>();
  private hasBegun = false;

  constructor(private readonly server: Server) {
    server.prependListener('request', (_request, response: ServerResponse) => {
      this.track(response);
    });
  }

  /** How many requests are still being answered. */
  get inFlight(): number {
    return this.answering.size;
  }

  /** From now on a connection ends with the answer that is under way on it. */
  begin(): void {
    this.hasBegun = true;
    this.answering.forEach(announceEnd);
    this.server.closeIdleConnections();
  }

  private track(response: ServerResponse): void {
    this.answering.add(response);
    response.once('close', () => {
      this.answering.delete(response);
      // For an answer whose head was sent before the end was known.
      if (this.hasBegun) this.server.closeIdleConnections();
    });
    if (this.hasBegun) announceEnd(response);
  }
}

function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
