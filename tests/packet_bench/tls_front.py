#!/usr/bin/env python3
"""tls_front.py CERTIFICATE KEY PORT: TLS in front of a plain port of this machine.

Prints the port that it listens on, and passes bytes until it is ended.
"""

import asyncio
import ssl
import sys


async def pass_on(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    certificate, key, port = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(reader, writer):
        behind = await asyncio.open_connection("127.0.0.1", int(port))
        await asyncio.gather(pass_on(reader, behind[1]), pass_on(behind[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(f'"port":{server.sockets[0].getsockname()[1]}.', flush=True)
    await server.serve_forever()


asyncio.run(main())
