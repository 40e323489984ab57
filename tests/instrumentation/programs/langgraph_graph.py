"""A graph of LangGraph that calls a model and a tool in turn, under whichever instrumentation INSTRUMENTOR names."""

from __future__ import annotations

import importlib
import os

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from provider import provide

module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provide())


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


model = ChatOpenAI(model="gpt-4o").bind_tools([get_weather])
graph = StateGraph(MessagesState)
graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
graph.add_node("tools", ToolNode([get_weather]))
graph.add_edge(START, "model")
graph.add_conditional_edges("model", tools_condition)
graph.add_edge("tools", "model")
graph.compile(name="weather_graph").invoke(
    {"messages": [("user", "What is the weather in Paris?")]}, config={"configurable": {"thread_id": "t-1"}}
)
