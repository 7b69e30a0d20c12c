"""The page that shows what a customer touched beside what each source recommends now."""
