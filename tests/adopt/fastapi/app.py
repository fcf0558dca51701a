"""A quote service as a Python team has it: FastAPI behind uvicorn, two workers."""

import os

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/quote/{pair}", response_class=PlainTextResponse)
async def quote(pair: str) -> str:
    return f"{pair} 0.5123\n"


@app.get("/health")
async def health() -> dict:
    return {"status": "pass", "releaseId": os.environ.get("REVISION", "")}
