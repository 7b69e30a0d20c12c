"""Amazon Personalize as CloudFormation resources, and the removal of whole colours."""
