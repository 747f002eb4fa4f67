/** What every server of ours does first: take an address, or say why not. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "./errors.js";

/** Whether only this machine can reach a server there. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}

/**
 * Listens.
 *
 * @param address.port 0 takes any free one
 * @returns the server's address, such as http://127.0.0.1:8080
 * @throws UserError when the address is taken or not allowed
 */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new UserError(`Cannot listen on ${host}:${port}: ${error.message}.`, {
          hint: "Choose another --port (0 takes any free one).",
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${name}:${address.port}`;
}
