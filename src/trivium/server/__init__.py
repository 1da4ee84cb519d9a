"""The server: settings, composition, listeners and what runs behind them. The only place that knows all parts."""
